"""Settings: defaults, and what a person is told about wrong ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cutback.cutting.job import Limits
from cutback.domain.errors import SettingsError
from cutback.settings.settings import Settings, load_settings, memory_for_a_job, variable


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("CUTBACK_"):
            monkeypatch.delenv(name)


def refusal() -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return str(caught.value)


def test_without_any_setting_everything_is_in_one_folder() -> None:
    settings = load_settings()
    assert settings.source_url == "cutback-data/recordings"
    assert settings.clip_url == "cutback-data/clips"
    assert settings.database_path == Path("cutback-data/cutback.sqlite")
    assert settings.one_machine
    assert settings.limits == Limits()


def test_variables_and_overrides_are_read_and_overrides_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTBACK_DATA", "/srv/a")
    monkeypatch.setenv("CUTBACK_SOURCE_STORE", "s3://recordings")
    monkeypatch.setenv("CUTBACK_SOURCE_OPTIONS", '{"region": "eu-central-1"}')
    monkeypatch.setenv("CUTBACK_LIMIT_SECONDS", "77")
    monkeypatch.setenv("CUTBACK_WEBHOOK_URLS", "https://a.example/x, https://b.example/y")
    monkeypatch.setenv("CUTBACK_WEBHOOK_DELAYS", "1,2.5")
    settings = load_settings(data=Path("/srv/b"), workers=None)
    assert settings.data == Path("/srv/b")
    assert settings.source_url == "s3://recordings"
    assert settings.source_options == {"region": "eu-central-1"}
    assert settings.limits.seconds == 77
    assert settings.webhook_urls == ("https://a.example/x", "https://b.example/y")
    assert settings.webhook_delays == (1, 2.5)
    assert not settings.one_machine


def test_all_wrong_settings_are_named_at_once_with_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "CUTBACK_MAX_TRIES": "many",
        "CUTBACK_LEASE": "-1",
        "CUTBACK_LOG_LEVEL": "LOUD",
        "CUTBACK_WEBHOOK_URLS": "ftp://a.example",
        "CUTBACK_WEBHOOK_DELAYS": "5,soon",
        "CUTBACK_CLIP_OPTIONS": "region=x",
        "CUTBACK_LIMIT_FRAMES": "nan",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    message = refusal()
    assert [name for name in wrong if name not in message] == []
    assert "The default is 5" in message
    assert "'ftp://a.example'" in message


@pytest.mark.parametrize(
    ("name", "meant"),
    [("CUTBACK_MAXTRIES", "CUTBACK_MAX_TRIES"), ("CUTBACK_SOURCE_STOR", "CUTBACK_SOURCE_STORE")],
)
def test_a_misspelt_variable_is_reported_with_the_one_meant(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    monkeypatch.setenv(name, "1")
    message = refusal()
    assert f"{name} is not a setting; did you mean {meant}?" in message


def test_an_unknown_variable_like_no_other_is_reported_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTBACK_QQQQQQQQ", "1")
    assert "CUTBACK_QQQQQQQQ is not a setting" in refusal()


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTBACK_WORKERS", "")
    assert load_settings().workers == Settings.model_fields["workers"].default


def test_a_message_must_stay_hidden_longer_than_a_lease_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTBACK_LEASE", "60")
    message = refusal()
    assert "CUTBACK_VISIBILITY (60) must be greater than CUTBACK_LEASE (60)" in message


@pytest.mark.parametrize("secret", ["abc", "whsec_", "whsec_!!!!", "whsec_YWJj"])
def test_a_wrong_secret_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("CUTBACK_WEBHOOK_SECRET", secret)
    message = refusal()
    assert "CUTBACK_WEBHOOK_SECRET: must be whsec_" in message
    assert f"'{secret}'" not in message


def test_a_right_secret_is_kept_out_of_the_text_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "whsec_" + "A" * 43 + "="
    monkeypatch.setenv("CUTBACK_WEBHOOK_SECRET", secret)
    settings = load_settings()
    assert settings.webhook_secret is not None
    assert settings.webhook_secret.get_secret_value() == secret
    assert "AAAA" not in repr(settings)


def test_every_setting_says_what_it_is_for() -> None:
    assert [variable(name) for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("megabytes", "limit"),
    [("", 2048), ("512", 128), ("1024", 384), ("1769", 1129), ("2688", 2048), ("10240", 2048), ("much", 2048)],
)
def test_a_job_leaves_room_for_the_worker_in_its_function(megabytes: str, limit: int) -> None:
    assert memory_for_a_job({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": megabytes}) == limit << 20


def test_the_function_decides_on_a_jobs_memory_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769")
    assert load_settings().limits.memory == 1129 << 20
    monkeypatch.setenv("CUTBACK_LIMIT_MEMORY", str(1 << 30))
    assert load_settings().limits.memory == 1 << 30


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90d", 90 * 86400), ("2000h", 2000 * 3600), ("86400", 86400), ("0", 0), (" 15.5d", 15.5 * 86400)],
)
def test_a_period_is_written_with_a_unit_or_in_seconds(
    monkeypatch: pytest.MonkeyPatch, text: str, seconds: float
) -> None:
    monkeypatch.setenv("CUTBACK_KEEP_RECORDS", text)
    monkeypatch.setenv("CUTBACK_RETENTION", text)
    assert (load_settings().keep_records, load_settings().retention) == (seconds, seconds)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("23h", "0 (for ever) or at least 1d"),
        ("1", "at least 1d"),
        ("three months", "such as 90d"),
        ("-90d", "such as"),
    ],
)
def test_records_are_kept_for_a_day_at_least(monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    monkeypatch.setenv("CUTBACK_KEEP_RECORDS", text)
    assert "CUTBACK_KEEP_RECORDS" in (refused := refusal())
    assert said in refused
