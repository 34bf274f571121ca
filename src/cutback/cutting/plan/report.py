"""A plan as plain JSON: what is copied, re-encoded, hidden and dropped, and why. Pure.

Frames are numbered like the recording's: from 0, in presentation order. Times are decimal seconds since the recording's
time zero; sizes are in bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from cutback.cutting.codecs.codec import Entry
from cutback.cutting.index import Index, Track
from cutback.cutting.job import Precision
from cutback.cutting.plan.plan import FrameRange, PlannedRun
from cutback.cutting.plan.steps import MARKS, Step, bytes_of, fed, group, group_at, is_keyframe, steps, windows
from cutback.domain.times import format_seconds

MOST_GROUPS = 600
"""Maximum GOPs that are listed; if there are more, those in the middle are only counted."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was read from the samples themselves."""

    letters: Mapping[int, str] = field(default_factory=dict)
    """I, P, B or b (a B picture to which no other refers), for the samples whose headers were read."""
    entries: Mapping[int, Entry] = field(default_factory=dict)
    """How copying can begin at a keyframe, for the keyframes that were examined."""


def _groups(track: Track, made: Sequence[Step], looked: Looked) -> list[dict[str, Any]]:
    inside = track.order[made[0].first : made[-1].end]
    numbers = range(group_at(track, min(inside)), group_at(track, max(inside)) + 1)
    shown = []
    for number in numbers:
        if len(numbers) > MOST_GROUPS and MOST_GROUPS // 2 <= number - numbers[0] < len(numbers) - MOST_GROUPS // 2:
            continue
        begin, end = group(track, number)
        lead = track.pts[begin]
        entry = looked.entries.get(begin)
        leading = sum(track.pts[n] < lead for n in range(begin + 1, end))
        shown.append(
            {
                "start": format_seconds(track.seconds(lead)),
                "frame": track.rank(begin) + track.first_rank,
                "samples": end - begin,
                "leading": leading,
                "open": leading > 0 or entry == "open",
                "entry": entry,
                "bytes": bytes_of(track, range(begin, end)),
            }
        )
    return shown


# --- frames one by one -----------------------------------------------------------------------------


def _strip(track: Track, made: Sequence[Step], ranks: range, looked: Looked) -> dict[str, Any]:
    samples = track.order[ranks.start : ranks.stop]
    actions = "".join(
        MARKS[step.action] * len(range(max(step.first, ranks.start), min(step.end, ranks.stop))) for step in made
    )
    return {
        "frame": ranks.start + track.first_rank,
        "times": [format_seconds(track.seconds(track.pts[number]), 6) for number in samples],
        "types": "".join(_letter(track, number, looked) for number in samples),
        "actions": actions,
    }


def _letter(track: Track, sample: int, looked: Looked) -> str:
    """Return a frame's letter.

    `K`: a keyframe; `O`: a keyframe with leading pictures, or without a clean entry; `I`, `P`, `B`, `b`: as read;
    `L`: a leading picture; `.`: any other.
    """
    number = group_at(track, sample)
    begin, end = group(track, number)
    if is_keyframe(track, sample):
        leads = any(track.pts[n] < track.pts[sample] for n in range(sample + 1, end))
        return "O" if leads or looked.entries.get(sample) == "open" else "K"
    return looked.letters.get(sample) or ("L" if track.pts[sample] < track.pts[begin] else ".")


# --- the report ------------------------------------------------------------------------------------


def part_report(
    index: Index,
    asked: FrameRange,
    piece: FrameRange,
    runs: Sequence[PlannedRun],
    looked: Looked,
    *,
    sound: list[dict[str, Any]],
) -> dict[str, Any]:
    """Report one range of a clip: `asked` is the request's, `piece` is what the plan presents."""
    report: dict[str, Any] = {
        "asked": {"start": format_seconds(asked.start), "end": format_seconds(asked.end)},
        "start": format_seconds(piece.start),
        "end": format_seconds(piece.end),
        "duration": format_seconds(piece.duration),
        "clamped": piece.clamped,
        "frames": piece.stop - piece.first,
        "segments": [],
        "groups": [],
        "groups_left_out": 0,
        "strips": [],
        "sound": sound,
    }
    track = index.video
    if track is None or not runs:
        return report
    made = steps(track, runs)
    groups = _groups(track, made, looked)
    inside = track.order[made[0].first : made[-1].end]
    count = group_at(track, max(inside)) - group_at(track, min(inside)) + 1
    return report | {
        "first_frame": piece.first + track.first_rank,
        "asked_frames": asked.stop - asked.first,
        "first_asked_frame": asked.first + track.first_rank,
        "segments": [_segment(track, piece, step) for step in made],
        "groups": groups,
        "groups_left_out": count - len(groups),
        "strips": [_strip(track, made, ranks, looked) for ranks in windows(made)],
        "bytes": _amounts(track, runs, made),
    }


def _segment(track: Track, piece: FrameRange, step: Step) -> dict[str, Any]:
    start = max(piece.start, track.seconds(track.pts[track.order[step.first]]))
    end = piece.end if step.end == piece.stop else track.seconds(track.end_of(track.order[step.end - 1]))
    return {
        "action": step.action,
        "reason": step.reason,
        "start": format_seconds(start),
        "end": format_seconds(end),
        "first_frame": step.first + track.first_rank,
        "frames": step.end - step.first if step.shown is None else step.shown,
        "bytes_copied": step.copied,
        "bytes_decoded": step.decoded,
        "bytes_encoded": step.encoded,
    }


def _amounts(track: Track, runs: Sequence[PlannedRun], made: Sequence[Step]) -> dict[str, int]:
    copied = {n for run in runs if run.action == "copy" for n in run.samples}
    decoded = {n for run in runs if run.action == "encode" for n in fed(track, run)}
    return {
        "copied": bytes_of(track, copied),
        "decoded": bytes_of(track, decoded),
        "encoded": sum(step.encoded for step in made),
        "read": bytes_of(track, copied | decoded),
    }


def sound_report(
    track: Track, piece: FrameRange, *, number: int, copied: bool, reason: str, bit_rate: int | None = None
) -> dict[str, Any]:
    """Report one audio track in a range: the packets heard in it, and the one before, which the decoder needs.

    `bit_rate` is that of encoded sound; None if about as many bytes go into the clip as are read.
    """
    first = track.rank_at(track.ticks(piece.start))
    stop = track.rank_at(track.ticks(piece.end))
    samples = track.order[max(0, first - 2 if copied else first - 3) : stop]
    size = bytes_of(track, samples)
    within = max(Fraction(0), min(piece.end, track.end) - max(piece.start, track.start))
    description = track.descriptions[0]
    return {
        "track": number,
        "codec": description.codec,
        "language": track.language,
        "action": "drop" if not samples or not within else "copy" if copied else "encode",
        "reason": reason if samples and within else "silent in this range",
        "duration": format_seconds(within, 6),
        "packets": len(samples),
        "bytes": size,
        "bytes_made": size if bit_rate is None else round(within * bit_rate / 8),
    }


def plan_report(
    index: Index,
    precision: Precision,
    parts: list[dict[str, Any]],
    *,
    duration: Fraction,
    subtitles: int = 0,
    music: int = 0,
    memory: Mapping[str, int] | None = None,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Report the whole plan: the recording, each range, and the totals. `duration` is the clip's, in seconds.

    `subtitles` is the number of subtitles that edits make, `music` the bytes of sound that edits add to a clip without
    any, `notes` what a person should know besides.
    """
    video = index.video
    description = video.descriptions[0] if video is not None else None
    frames = dict.fromkeys(MARKS, 0)
    for part in parts:
        for segment in part["segments"]:
            frames[segment["action"]] += segment["frames"]
    amounts = {
        name: sum(part.get("bytes", {}).get(name, 0) for part in parts)
        for name in ("copied", "decoded", "encoded", "read")
    }
    sound = sum(track["bytes"] for part in parts for track in part["sound"])
    heard = sum(track["bytes_made"] for part in parts for track in part["sound"])
    return {
        "container": index.container,
        "duration": format_seconds(index.end),
        "precision": precision,
        "video": None
        if video is None or description is None
        else {"codec": description.codec, "width": description.width, "height": description.height},
        "parts": parts,
        "frames": frames,
        "bytes": {
            **amounts,
            "sound": sound,
            "music": music,
            "clip": amounts["copied"] + amounts["encoded"] + heard + music,
        },
        "clip_duration": format_seconds(duration),
        "subtitles": subtitles,
        "memory": dict(memory or {}),
        "notes": list(dict.fromkeys([*index.notes, *notes])),
    }
