"""infra/ is formatted, valid and clean; plans show what no stand-in simulates."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.aws.stack import running_moto
from tests.aws.terraform import INFRA, ROOT, Terraform, copied_infra

CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"
FOLDERS = sorted(
    {path.parent.relative_to(INFRA) for path in INFRA.rglob("versions.tf") if ".terraform" not in path.parts}
)
PLANS = sorted(path.name for path in (INFRA / "tests").glob("*.tftest.hcl"))
TYPED = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
SKIP = re.compile(r"#\s*checkov:skip=(\w+)(?::(.*))?$", re.MULTILINE)

pytestmark = pytest.mark.usefixtures("terraform_there")


def sources() -> list[Path]:
    return [path for path in sorted(INFRA.rglob("*.tf")) if ".terraform" not in path.parts]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied_infra(tmp_path_factory.mktemp("static"))


def test_formatted() -> None:
    assert Terraform(INFRA).run("fmt", "-check", "-recursive", "-diff") == ""


@pytest.mark.parametrize("folder", [each for each in FOLDERS if "modules" not in each.parts], ids=str)
def test_valid(folder: Path, copied: Path) -> None:
    terraform = Terraform(copied / folder)
    terraform.init()
    found = json.loads(terraform.run("validate", "-json"))
    assert found["diagnostics"] == []


@pytest.fixture(scope="module")
def planning(copied: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[str]]]:
    """Every file of infra/tests, on its way to being run: two at a time, since each plan starts a provider."""
    with running_moto(tmp_path_factory.mktemp("plans")) as moto, ThreadPoolExecutor(2) as pool:
        terraform = Terraform(copied, moto.endpoint)
        terraform.init()
        yield {name: pool.submit(terraform.run, "test", f"-filter=tests/{name}") for name in PLANS}


@pytest.mark.parametrize("name", PLANS)
def test_plans_show_what_no_stand_in_plays(planning: dict[str, Future[str]], name: str) -> None:
    said = planning[name].result()
    assert re.search(r"^Success! [1-9]\d* passed, 0 failed\.$", said, re.MULTILINE)


def test_clean_by_checkov() -> None:
    if not CHECKOV.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("`make test-aws` installs checkov; it is not there")
    done = subprocess.run(
        [CHECKOV, "--directory", INFRA, "--framework", "terraform", "--skip-download", "--compact", "--output", "json"],
        env={"PATH": os.environ["PATH"], "LOG_LEVEL": "CRITICAL"},
        capture_output=True, text=True, check=False, timeout=1200,
    )  # fmt: skip
    report = json.loads(done.stdout)
    failed = [f"{check['check_id']} {check['resource']}" for check in report["results"]["failed_checks"]]
    assert failed == []
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 400


def test_every_exception_has_its_reason() -> None:
    for path in sources():
        for check, reason in SKIP.findall(path.read_text(encoding="utf-8")):
            assert len(reason) > 15, f"{path.name}: {check}"


def test_every_variable_and_output_is_described_and_every_variable_typed() -> None:
    for path in sources():
        text = path.read_text(encoding="utf-8")
        for name, body in TYPED.findall(text):
            assert re.search(r"^  type +=", body, re.MULTILINE), f"{path}: {name}"
            assert re.search(r"^  description +=", body, re.MULTILINE), f"{path}: {name}"
        for name, body in re.findall(r'^output "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL):
            assert re.search(r"^  description +=", body, re.MULTILINE), f"{path}: {name}"


def test_no_policy_has_a_wildcard_but_those_that_aws_demands() -> None:
    allowed = {
        "modules/api/roles.tf": 1,  # a token for ECR
        "modules/access/main.tf": 3,  # X-Ray; a VPC's network interfaces, allowed to Lambda and denied to the function
        "modules/key/main.tf": 5,  # in a key's policy it is the key itself
        "modules/service/roles.tf": 1,  # a token for ECR
    }
    found = {}
    for path in sources():
        count = len(re.findall(r'resources\s*=\s*\["\*"\]', path.read_text(encoding="utf-8")))
        if count:
            found[path.relative_to(INFRA).as_posix()] = count
    assert found == allowed


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_every_folder_has_a_readme_that_names_its_variables(folder: Path) -> None:
    readme = (INFRA / folder / "README.md").read_text(encoding="utf-8")
    variables = TYPED.findall((INFRA / folder / "variables.tf").read_text(encoding="utf-8"))
    assert [name for name, _ in variables if f"`{name}`" not in readme] == []


def test_nothing_names_a_machine_or_a_stand_in() -> None:
    for path in sources():
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"endpoint_url|s3_use_path_style|skip_credentials|plugin-dir|localhost|127\.0\.0\.1", text
        ), path


EXAMPLES = sorted(path.name for path in (INFRA / "examples").iterdir())


def test_examples_lock_one_provider_for_every_platform() -> None:
    locks = {(INFRA / "examples" / name / ".terraform.lock.hcl").read_text(encoding="utf-8") for name in EXAMPLES}
    (lock,) = locks
    assert re.findall(r'^provider "(.+)"', lock, re.MULTILINE) == ["registry.terraform.io/hashicorp/aws"]
    assert len(re.findall(r'"zh:[0-9a-f]{64}"', lock)) == 15
    assert not re.search(r"/opt|/home|file:", lock)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_backend_that_is_proposed_is_one(name: str, copied: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(copied, tmp_path / "infra")) / "examples" / name
    (folder / "backend.tf.example").rename(folder / "backend.tf")
    terraform = Terraform(folder)
    terraform.init()
    assert json.loads(terraform.run("validate", "-json"))["diagnostics"] == []
    assert "use_lockfile = true" in (folder / "backend.tf").read_text(encoding="utf-8")


def test_cluster_and_url_take_the_password_from_one_secret(copied: Path, tmp_path: Path) -> None:
    """Or a first apply that breaks off after the cluster would write another password into the URL."""
    with running_moto(tmp_path) as moto:
        terraform = Terraform(copied / "examples" / "complete", moto.endpoint)
        terraform.set_variables(package=str(ROOT / "LICENSE"), email="sea@example.org")
        terraform.init()
        terraform.run("plan", "-out=documentdb.tfplan")
        plan = json.loads(terraform.run("show", "-json", "documentdb.tfplan"))
    cutback = plan["configuration"]["root_module"]["module_calls"]["cutback"]["module"]
    records = cutback["module_calls"]["records"]["module"]["resources"]
    (cluster,) = [each for each in records if each["address"] == "aws_docdb_cluster.this"]
    kept = "ephemeral.aws_secretsmanager_secret_version.documentdb"
    assert kept in str(cluster["expressions"]["master_password_wo"])
    assert "random_password" not in str(cluster["expressions"])
    (url,) = [each for each in records if each["address"] == "aws_secretsmanager_secret_version.url"]
    assert "local.documentdb_url" in str(url["expressions"]["secret_string_wo"])
    text = (copied / "modules/records/documentdb.tf").read_text(encoding="utf-8")
    assert re.findall(r"mongodb://\S+:\$\{(ephemeral\.[a-z_]+)\.", text) == [
        "ephemeral.aws_secretsmanager_secret_version"
    ]


def test_minimal_with_the_api_is_one_plan(copied: Path, tmp_path: Path) -> None:
    """The complete example is applied with the API; this is the other way to it."""
    with running_moto(tmp_path) as moto:
        terraform = Terraform(copied / "examples" / "minimal", moto.endpoint)
        terraform.set_variables(
            package=str(ROOT / "LICENSE"), records_url="mongodb://user:password@example.org/cutback", api=True,
            api_image="123456789012.dkr.ecr.eu-central-1.amazonaws.com/cutback:0.1.0",
            api_repository_arn="arn:aws:ecr:eu-central-1:123456789012:repository/cutback",
        )  # fmt: skip
        terraform.init()
        terraform.run("plan", "-out=api.tfplan")
        plan = json.loads(terraform.run("show", "-json", "api.tfplan"))
    made = {each["address"]: each["change"]["after"] for each in plan["resource_changes"]}
    task = made["module.cutback.module.api[0].aws_ecs_service.this"]
    assert (task["desired_count"], task["launch_type"]) == (2, "FARGATE")
    assert "module.network[0].aws_nat_gateway.this[0]" in made
    assert not [address for address in made if "aws_ecr_repository" in address]
    assert "module.cutback.module.api[0].aws_cloudfront_vpc_origin.this" in made


def test_nothing_uses_what_version_6_of_the_provider_deprecates() -> None:
    """From its upgrade guide, as far as it concerns what is used here."""
    deprecated = r"aws_region\.\w+\.name\b|\bvpc\s+=\s+true|inference_accelerator|log_group_name|\betag\s+="
    for path in sources():
        assert not re.search(deprecated, path.read_text(encoding="utf-8")), path
    texts = [path.read_text(encoding="utf-8") for path in sources()]
    found = [re.findall(r'^      version = "(.+)"', text, re.MULTILINE) for text in texts]
    assert {pin for each in found for pin in each} == {">= 5.100, < 7"}


def test_deploying_builds_only_what_is_deployed() -> None:
    shown = subprocess.run(
        ["make", "-n", "-o", ".venv/.developing-3.11", "deploy", "EXAMPLE=complete", "ARCH=x86_64"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    steps = [line for line in shown.splitlines() if "lambda_zip" in line or "terraform" in line]
    assert [step.replace("terraform -chdir=infra/examples/complete ", "@") for step in steps] == [
        ".venv/bin/python infra/lambda_zip.py --arch x86_64",
        "@init -input=false",
        "TF_VAR_architecture=x86_64 @apply ",
    ]
