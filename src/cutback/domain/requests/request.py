"""Clip requests: their fields, their validation and their ids."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from base64 import b32encode
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo, model_validator

from cutback.domain.base import Model, read_json
from cutback.domain.errors import Fault, InvalidRequestError
from cutback.domain.requests.chapters import JOINS, Chapters
from cutback.domain.requests.edit_list import KINDS as EDIT_KINDS
from cutback.domain.requests.edit_list import Edits, assets_of, needs_exact
from cutback.domain.requests.edits.inset import InsetEdit
from cutback.domain.requests.edits.overlay import TextEdit
from cutback.domain.requests.field_hint import field_hint
from cutback.domain.requests.ids import stored_id
from cutback.domain.requests.older_format import LegacyMessage
from cutback.domain.requests.outputs.known import KINDS as FORMATS
from cutback.domain.requests.outputs.known import Output, output_of
from cutback.domain.requests.outputs.model import OutputModel
from cutback.domain.requests.outputs.mp4 import Mp4Output
from cutback.domain.requests.pictures import Pictures
from cutback.domain.requests.presets import known_presets, with_edits_of
from cutback.domain.requests.rules import RequestRules
from cutback.domain.requests.sources import AssetRange, CameraSpan, Range, Source, Text, check_text
from cutback.domain.text_fields import LABEL, fields_in
from cutback.domain.validation import problem_of

Validated = TypeVar("Validated", bound=Model)

MAX_RANGES = 100
"""Most ranges in one request. More is a mistake or an attack."""

MAX_OUTPUTS = 10
"""Most outputs of one request."""

CLIP = "clip"
"""The name of the first output."""

RESERVED_NAMES = ("poster", "sprite", "preview", "waveform", "activity")
"""Beginnings of names that other files of a clip have."""

_HLS_EXTENSIONS = (".m3u8", ".mp4")
"""Of the files of HLS whose names begin with the output's, and a hyphen."""

MAX_VALUES = 5000
"""Maximum values in one request, at any depth."""

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$"

TENANT_PATTERN = r"^([A-Za-z0-9][A-Za-z0-9_-]{0,63})?$"
"""A tenant's name; empty for clips of the whole installation. It has no dot, which ends it in stored ids."""


_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?", re.ASCII)


def is_host_name(host: str) -> bool:
    """Whether a text may be the name of a host, or an IPv4 address."""
    name = host.removesuffix(".")
    return len(name) <= 253 and all(_LABEL.fullmatch(label) for label in name.split("."))


def check_webhook_url(value: str) -> str:
    """Check the form of a webhook's URL.

    Raises:
        ValueError: it is not an https:// URL, or an http:// URL of this machine.
    """
    check_text(value)
    if not value.isascii() or " " in value:
        raise ValueError("must have no spaces and only ASCII: write the host as xn--..., and the rest with %")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("must be an https:// URL")
    if ":" not in host and not is_host_name(host):
        raise ValueError("is not a URL: its host is neither a name nor an address")
    if parts.username or parts.password:
        raise ValueError("must not contain a user name or password")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("must be an https:// URL (http:// is allowed only to this machine)")
    return value


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address from a URL, is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _one_or_many(value: object) -> object:
    if isinstance(value, list | tuple) and len(value) > MAX_RANGES:
        raise ValueError(f"must have at most {MAX_RANGES} items")
    return [value] if isinstance(value, dict) else value


Title = Annotated[Text, Field(max_length=200)]
Tags = Annotated[tuple[Annotated[Text, Field(min_length=1, max_length=64)], ...], Field(max_length=50)]
Labels = Annotated[
    dict[Annotated[Text, Field(min_length=1, max_length=64)], Annotated[Text, Field(max_length=256)]],
    Field(max_length=50),
]


class ClipDescription(Model):
    """What people say about a clip, and may change. Fields that are left out stay as they are."""

    title: Title = ""
    tags: Tags = ()
    labels: Labels = Field(default_factory=dict)

    def given(self) -> dict[str, Any]:
        """Return the fields that were given."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class ClipRequest(Model):
    """A request for a clip. The same `id` always means the same clip."""

    version: Literal["1"] = Field("1", description="The version of this format.")
    id: Annotated[str, Field(pattern=ID_PATTERN)] = Field(
        "",
        description="The clip's id. Derived from the rest of the request if you leave it out.",
        validate_default=False,
    )
    source: Annotated[tuple[Source, ...], BeforeValidator(_one_or_many), Field(min_length=1, max_length=MAX_RANGES)] = (
        Field(description="Ranges of recordings, spans of cameras and videos of the assets, joined in order.")
    )
    edits: Edits = Field((), description="What to do with the pictures and the sound, in stage order.")
    output: Output = Field(Mp4Output(), description="How to make the clip.")
    outputs: Annotated[tuple[Output, ...], Field(min_length=1, max_length=MAX_OUTPUTS)] | None = Field(
        None,
        exclude_if=lambda outputs: outputs is None,
        description="Instead of `output`: several files of one clip. The first one is the clip.",
    )
    pictures: Pictures | None = Field(
        None,
        exclude_if=lambda pictures: pictures is None,
        description="What comes with the clip: `poster`, `sprites`, `preview` and `waveform`. By default, what the "
        "setting CUTBACK_PICTURES says.",
    )
    chapters: Chapters = Field(
        JOINS,
        exclude_if=lambda chapters: chapters == JOINS,
        description="Chapters of the clip: `joins` makes one wherever the footage jumps, a list says where each "
        "begins, and an empty list makes none.",
    )
    title: Title = Field("", description="A title to show to people.")
    tags: Tags = Field((), description="Labels by which you can find the clip.")
    labels: Labels = Field({}, description="Your own keys and values, returned unchanged.")
    webhook: Annotated[str, Field(max_length=2048), AfterValidator(check_webhook_url)] | None = Field(
        None, description="An https:// URL that receives an event at each change of the clip's state."
    )
    expires_in: Annotated[int, Field(strict=True, ge=60, le=10 * 366 * 24 * 3600)] | None = Field(
        None, description="Seconds after which the finished clip is removed. Never, if you leave it out."
    )

    tenant: Annotated[str, Field(pattern=TENANT_PATTERN)] = Field(
        "",
        exclude_if=lambda tenant: not tenant,
        description="The tenant that the clip belongs to. The REST API sets it from the key.",
    )
    legacy: LegacyMessage | None = Field(
        None, description="The older-format message that this request comes from. It is answered in that format too."
    )

    @property
    def wanted_outputs(self) -> dict[str, OutputModel]:
        """Its outputs by their names, in order."""
        outputs = self.outputs or (self.output,)
        return {each.name or (each.format if number else CLIP): each for number, each in enumerate(outputs)}

    @property
    def is_one_plain_mp4(self) -> bool:
        """Whether it asks for nothing but the clip as an MP4, however precise."""
        plain = Mp4Output(precision=self.output.precision, preset=self.output.preset)
        return self.outputs is None and self.output == plain

    @property
    def stored_id(self) -> str:
        """The id under which its clip is stored."""
        return stored_id(self.tenant, self.id)

    @property
    def ranges(self) -> tuple[Range, ...]:
        """The ranges among the sources."""
        return tuple(piece for piece in self.source if isinstance(piece, Range))

    @property
    def spans(self) -> tuple[CameraSpan, ...]:
        """The camera spans among the sources."""
        return tuple(piece for piece in self.source if isinstance(piece, CameraSpan))

    @property
    def insets(self) -> tuple[InsetEdit, ...]:
        """The insets among the edits."""
        return tuple(edit for edit in self.edits if isinstance(edit, InsetEdit))

    @property
    def inset_spans(self) -> tuple[CameraSpan, ...]:
        """The spans of other cameras that insets show: for each of these cameras, the moments of `spans`."""
        cameras = dict.fromkeys(inset.camera for inset in self.insets if inset.camera is not None)
        other = {"gaps": "skip", "join": None}
        return tuple(span.model_copy(update={"camera": name, **other}) for name in cameras for span in self.spans)

    @property
    def all_spans(self) -> tuple[CameraSpan, ...]:
        """Every camera span of which it needs footage: `spans`, then `inset_spans`."""
        return (*self.spans, *self.inset_spans)

    @property
    def inset_recordings(self) -> tuple[str, ...]:
        """The keys of the recordings that insets show, each once."""
        return tuple(dict.fromkeys(inset.recording for inset in self.insets if inset.recording is not None))

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets that it needs, each once."""
        parts = tuple(piece.asset for piece in self.source if isinstance(piece, AssetRange))
        return tuple(dict.fromkeys((*parts, *assets_of(self.edits))))

    @model_validator(mode="after")
    def _expand_preset(self, info: ValidationInfo) -> Self:
        """Replace the preset by the edits and the output fields that it stands for. What the request says wins."""
        name = self.output.preset
        if name is None:
            return self
        preset = known_presets(info)[name]
        given = {field: getattr(self.output, field) for field in self.output.model_fields_set - {"preset"}}
        expanded = {"output": output_of({**preset.output, **given}), "edits": with_edits_of(preset, self.edits)}
        for field, value in expanded.items():
            object.__setattr__(self, field, value)
            self.__pydantic_fields_set__.add(field)
        return self

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        wanted = self.wanted_outputs
        for name, output in wanted.items():
            where = "output" if self.outputs is None else f"outputs[{self.outputs.index(output)}]"
            if taken := next((begin for begin in RESERVED_NAMES if name.startswith(begin)), None):
                raise ValueError(f"{where}.name: names that begin with {taken!r} are taken by other files of the clip")
            owner = next((hls for hls in wanted if wanted[hls].format == "hls" and name.startswith(f"{hls}-")), None)
            if owner is not None and output.extension in _HLS_EXTENSIONS:
                raise ValueError(f"{where}.name: names that begin with '{owner}-' are taken by the files of {owner!r}")
        return self

    @model_validator(mode="after")
    def _check_outputs(self) -> Self:
        if self.outputs is None:
            return self
        if self.output != Mp4Output():
            raise ValueError("output: leave it out, or add it to the outputs")
        for number, output in enumerate(self.outputs):
            if output.preset is not None:
                raise ValueError(f"outputs[{number}].preset: is for a request with a single output")
        if len(self.wanted_outputs) < len(self.outputs):
            raise ValueError("outputs: two of them have the same name; give each a name of its own")
        return self

    @model_validator(mode="after")
    def _check_precision(self) -> Self:
        kind = needs_exact(self.edits)
        joins = [number for number, piece in enumerate(self.source) if piece.join is not None]
        if joins and not joins[0]:
            raise ValueError("source[0].join: is for a part that follows another one")
        for output in self.wanted_outputs.values():
            if joins and output.precision != "exact":
                raise ValueError(f"source[{joins[0]}].join: needs the precision exact, not {output.precision}")
            if kind is not None and output.precision != "exact":
                raise ValueError(f"edits: {kind} needs the precision exact, not {output.precision}")
        return self

    @model_validator(mode="after")
    def _check_inset_cameras(self) -> Self:
        for number, edit in enumerate(self.edits):
            if isinstance(edit, InsetEdit) and edit.camera is not None and not self.spans:
                raise ValueError(f"edits[{number}].camera: needs a source that names a camera, to show the same moment")
        return self

    @model_validator(mode="after")
    def _check_text_fields(self) -> Self:
        for number, edit in enumerate(self.edits):
            for field in fields_in(edit.text) if isinstance(edit, TextEdit) else ():
                if field == "title" and not self.title:
                    raise ValueError(f"edits[{number}].text: {{title}} needs a title in the request")
                if field.startswith(LABEL) and field.removeprefix(LABEL) not in self.labels:
                    raise ValueError(f"edits[{number}].text: {{{field}}}: the request has no such label")
        return self

    def text_field(self, name: str) -> str | None:
        """Return the value of a field of texts; None if it depends on the picture."""
        if name == "title":
            return self.title
        return self.labels[name.removeprefix(LABEL)] if name.startswith(LABEL) else None

    @model_validator(mode="after")
    def _derive_id(self) -> Self:
        if not self.id:
            object.__setattr__(self, "id", derive_id(self))
        return self


def derive_id(request: ClipRequest) -> str:
    """Derive the id of a request that has none. Equal content gives an equal id of 26 characters.

    The content is canonical JSON (sorted keys, times in lowest decimal form) without `id` and `tenant`; the id is `c`
    and the first 125 bits of its SHA-256 in lower-case base 32 (RFC 4648).
    """
    content = request.model_dump(mode="json", exclude={"id", "tenant", "legacy"})
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(canonical.encode()).digest()
    return "c" + b32encode(digest).decode().lower()[:25]


def parse_request(message: str | bytes, rules: RequestRules | None = None) -> ClipRequest:
    """Parse a request from its JSON text; see `validate_request`.

    Raises:
        InvalidRequestError: with the path of every fault and what is expected there.
    """
    return validate_request(read_json(message), rules)


def validate_request(content: object, rules: RequestRules | None = None) -> ClipRequest:
    """Build a request from parsed JSON.

    `rules` are those of the installation. Their zones give the camera's zone to moments without an offset from UTC;
    without zones, such moments are refused. The request has the moments in UTC, so its id is that of the same request
    with offsets.

    Raises:
        InvalidRequestError: with the path of every fault and what is expected there.
    """
    return _validate(ClipRequest, content, rules)


def validate_description(content: object) -> ClipDescription:
    """Build a description from parsed JSON. Raises like `validate_request`."""
    return _validate(ClipDescription, content)


def _validate(kind: type[Validated], content: object, rules: RequestRules | None = None) -> Validated:
    if not isinstance(content, dict):
        raise InvalidRequestError([Fault("", "must be a JSON object")])
    if _holds_more_values_than(MAX_VALUES, content):
        raise InvalidRequestError([Fault("", f"contains more than {MAX_VALUES} values")])
    try:
        return kind.model_validate(content, context=rules or RequestRules())
    except ValidationError as error:
        raise InvalidRequestError(_faults(error, kind)) from None


def _holds_more_values_than(most: int, content: dict[str, Any]) -> bool:
    """Limit the number of values, because reporting every invalid one takes longer than reading them."""
    waiting: list[object] = [content]
    count = 0
    while waiting:
        each = waiting.pop()
        inner = each.values() if isinstance(each, dict) else each if isinstance(each, list | tuple) else ()
        count += len(inner)
        if count > most:
            return True
        waiting += inner
    return False


_TAGS: Mapping[tuple[int | str, int], Collection[str]] = {
    ("source", 2): ("recording", "camera", "asset"),
    ("edits", 2): EDIT_KINDS,
    ("output", 1): FORMATS,
    ("outputs", 2): FORMATS,
    ("chapters", 1): ("joins", "given"),
}
"""The tags of unions, by the field and the place where pydantic puts them. They are not part of the JSON."""


def _faults(error: ValidationError, kind: type[Model]) -> list[Fault]:
    faults = []
    for item in error.errors(include_url=False)[:50]:
        unknown = item["type"] == "extra_forbidden"
        problem = f"is not a field; {field_hint(kind, item['loc'])}" if unknown else problem_of(item)
        path = _path(item["loc"])
        if isinstance(item["input"], dict) and (named := _NAMED.fullmatch(problem)):
            path, problem = f"{path}.{named[1]}" if path else named[1], named[2]
        faults.append(Fault(path, problem))
    return faults


_NAMED = re.compile(r"([a-z_]+(?:\[\d+\])?(?:\.[a-z_]+(?:\[\d+\])?)*): (.+)", re.ASCII | re.DOTALL)
"""What the check of a whole model says about one of its fields: the field, and what is wrong."""


def _path(location: tuple[int | str, ...]) -> str:
    text = ""
    for place, step in enumerate(location):
        if step in _TAGS.get((location[0], place), ()):
            continue
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            shown = "".join(c if c.isprintable() else "?" for c in step[:64])
            text += f".{shown}" if text else shown
    return text
