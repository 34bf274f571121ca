"""Decides a recording's camera and start time from its registration, metadata, key and container. Pure.

docs/cameras.md describes the rules.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from cutback.domain.cameras.key_pattern import BUILT_IN, KeyPattern, read_key
from cutback.domain.cameras.local_time import UTC_EVERYWHERE, Zones, moment_of
from cutback.domain.cameras.recording import CameraRecording, PlaceEvidence
from cutback.domain.errors import PlaceUnknownError
from cutback.domain.wallclock import parse_local, parse_moment, seconds_between

AGREEMENT = Fraction(2)
"""Seconds by which two sources may differ without contradicting each other."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""A camera whose clock shows an earlier time has lost its time."""
AHEAD = timedelta(days=1)
"""A recording that starts more than this after its arrival in the store has a wrong clock, not a wrong zone."""
EARLY = timedelta(minutes=5)
"""A recording that ends more than this after its arrival in the store comes from a clock that is ahead."""

METADATA_CAMERA, METADATA_START = "cutback-camera", "cutback-start"
LONGEST_NAME = 200

_EDITION = 2
"""The version of the rules in this module. Increase it with every change that may give other results."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How to read keys."""

    patterns: tuple[KeyPattern, ...] = BUILT_IN
    zones: Zones = UTC_EVERYWHERE

    @property
    def fingerprint(self) -> str:
        """A value that differs between rules that may give different cameras or start times."""
        zones = [(glob, str(zone)) for glob, zone in self.zones.of]
        said = (_EDITION, [pattern.text for pattern in self.patterns], str(self.zones.default), zones)
        return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


NO_EVIDENCE = PlaceEvidence()


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that says which camera a recording is from and when it began, the most trusted first."""

    key: str
    evidence: PlaceEvidence = NO_EVIDENCE
    """The container's creation time in it may be the recording's start or its end."""
    duration: Fraction = Fraction(0)
    stored_at: datetime = EARLIEST


@dataclass(frozen=True, slots=True)
class Placement:
    """A recording's camera and start time."""

    camera: str
    start: datetime
    conflicts: tuple[str, ...] = ()
    folder: str = ""
    """The folder from which the camera's name comes; empty if something else names the camera."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """A start time and its source."""

    source: str
    start: datetime

    def __str__(self) -> str:
        return f"{self.source} says {_shown(self.start)}"


def camera_of(told: Told, rules: Rules) -> tuple[str, tuple[str, ...]]:
    """Return the recording's camera and the conflicts about it. Needs neither duration nor container.

    Raises:
        PlaceUnknownError: no source names a camera.
    """
    named = read_key(told.key, rules.patterns)
    claims = [
        ("The registration", told.evidence.camera),
        ("The metadata", told.evidence.metadata_camera),
        ("The key", named.camera if named else ""),
    ]
    claims = [(source, camera) for source, camera in claims if camera]
    if not claims:
        raise PlaceUnknownError(f"{told.key} does not name a camera.")
    source, camera = claims[0]
    if len(camera) > LONGEST_NAME or not camera.isprintable():
        raise PlaceUnknownError(f"{told.key}: {source.lower()} names an invalid camera: {camera[:50]!r}.")
    return camera, tuple(
        f"{source} says camera {camera}, {other[0].lower()} says {other[1]}."
        for other in claims[1:]
        if other[1] != camera and source != "The registration"
    )


def camera_named(key: str, rules: Rules) -> str:
    """Return the camera that the key names; empty if it names none."""
    named = read_key(key, rules.patterns)
    return named.camera if named else ""


def place_recording(told: Told, rules: Rules) -> Placement:
    """Return camera, start time and every contradiction between the sources, or between a source and the clock.

    Raises:
        PlaceUnknownError: no source gives the camera, or no source gives the start time.
    """
    camera, conflicts = camera_of(told, rules)
    notes = list(conflicts)
    claims = _claims(told, rules, camera, notes)
    if not claims:
        raise PlaceUnknownError(f"{told.key}: no source gives its start time.")
    chosen = next((claim for claim in claims if not _strange(claim, told)), claims[0])
    notes += [_strange(claim, told) for claim in claims if _strange(claim, told)]
    if told.evidence.start is None:
        notes += [
            f"{chosen}, {str(other)[0].lower()}{str(other)[1:]}; the former counts."
            for other in claims
            if other is not chosen and not _strange(other, told) and _contradicts(chosen, other, told.duration)
        ]
    if not _strange(chosen, told) and chosen.start + _length(told) > told.stored_at + EARLY:
        ends = _shown(chosen.start + _length(told))
        notes.append(f"It ends at {ends}, after it arrived in the store: a clock is ahead.")
    return Placement(camera, chosen.start, tuple(dict.fromkeys(notes)), _folder_of(told, rules))


def place_again(recording: CameraRecording, rules: Rules) -> CameraRecording:
    """Return the recording with camera and start time by other rules, from what is already known.

    If these rules give no result, both stay the same, and a conflict says so.
    """
    told = Told(recording.key, recording.evidence, recording.duration, recording.stored_at)
    try:
        placement = place_recording(told, rules)
    except PlaceUnknownError:
        unknown = "The current patterns do not match its key; its camera and start time stay as they were."
        conflicts = tuple(dict.fromkeys((*recording.conflicts, unknown)))
        return recording.model_copy(update={"rules": rules.fingerprint, "conflicts": conflicts})
    return recording.model_copy(
        update={
            "camera": placement.camera,
            "start": placement.start,
            "conflicts": placement.conflicts,
            "folder": placement.folder,
            "rules": rules.fingerprint,
        }
    )


def _folder_of(told: Told, rules: Rules) -> str:
    if told.evidence.camera or told.evidence.metadata_camera:
        return ""  # registered for this recording
    named = read_key(told.key, rules.patterns)
    return named.folder if named is not None else ""


def _claims(told: Told, rules: Rules, camera: str, notes: list[str]) -> list[_Claim]:
    by_hand, written = told.evidence.start, told.evidence.metadata_start
    found = [] if by_hand is None else [_Claim("The registration", by_hand.astimezone(UTC))]
    if written:
        try:
            local = parse_local(written)
            start = parse_moment(int(written) if written.isdigit() else written) if local is None else local
            found.append(_Claim("The metadata", _in_utc(start, told, rules, camera, notes)))
        except ValueError as error:
            notes.append(f"The metadata's {METADATA_START} ({written[:50]}) {error}.")
    named = read_key(told.key, rules.patterns)
    if named is not None and named.start is not None:
        notes += named.notes
        found.append(_Claim("The key", _in_utc(named.start, told, rules, camera, notes)))
    created = _read_created(told.evidence.created)
    if created is not None:
        begins = created if found or created + _length(told) <= told.stored_at + EARLY else created - _length(told)
        found.append(_Claim("The container", begins))
    return found


def _in_utc(start: datetime, told: Told, rules: Rules, camera: str, notes: list[str]) -> datetime:
    """Return the moment in UTC. A time without an offset is on the camera's clock."""
    if start.tzinfo is not None:
        return start.astimezone(UTC)
    moment, note = moment_of(start, rules.zones.for_camera(camera), length=_length(told), stored_at=told.stored_at)
    notes += [note] if note else []
    return moment


def _read_created(text: str) -> datetime | None:
    """Read the container's creation time. 1904 and 1970 count as missing: they mean that the time was never set."""
    try:
        created = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return created if created >= EARLIEST else None


def _strange(claim: _Claim, told: Told) -> str:
    """Say why the claim cannot be true; empty if it can."""
    if claim.start < EARLIEST:
        return f"{claim}, before the year {EARLIEST.year}: a clock was not set."
    if claim.start > told.stored_at + AHEAD:
        return f"{claim}, but it arrived in the store at {_shown(told.stored_at)}: a clock is wrong."
    return ""


def _contradicts(one: _Claim, other: _Claim, duration: Fraction) -> bool:
    apart = [abs(seconds_between(one.start, other.start))]
    if other.source == "The container":  # its time may be when the file was finished
        apart.append(abs(seconds_between(one.start, other.start) - duration))
    return min(apart) > AGREEMENT


def _length(told: Told) -> timedelta:
    return timedelta(microseconds=round(told.duration * 1_000_000))


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d} UTC"
