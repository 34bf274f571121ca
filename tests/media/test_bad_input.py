"""Any bytes give a named error or a correct clip, and nothing is opened except the recording."""

from __future__ import annotations

import contextlib
import http.server
import io
import json
import os
import random
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image
from tests.media.cuts import BytesSource, CutResult, ask, cut_in_child, cut_ranges, find_boxes
from tests.media.recordings import ReferenceRecording
from tests.support.decode import Presented, decode_presented, decode_warnings
from tests.support.forking import forked_children
from tests.support.media import MediaSpec, cached_media
from tests.support.sampling import slow_except
from tests.support.serving import serving

from cutback.cutting.edit_values.scale import Scale
from cutback.cutting.job import CutJob, Limits
from cutback.cutting.preview import preview
from cutback.domain.errors import CutbackError, MediaTooLargeError, MediaUnreadableError, MediaUnsupportedError
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]

RANGE = (0, Fraction("0.5"), Fraction("2.5"))
NAMED = (MediaUnreadableError, MediaUnsupportedError, MediaTooLargeError)
LIMITS = Limits(stall_seconds=20, seconds=40)


@pytest.fixture(scope="module")
def shared_cutter() -> Iterator[ChildCutter]:
    """Children started ahead, as many cuts follow."""
    with forked_children(), closing(ChildCutter(warm=True)) as made:
        yield made


def attempt(cutter: ChildCutter, data: bytes) -> CutResult | CutbackError:
    """A clip, or the named error; any other exception is a fault and goes through."""
    try:
        return cut_in_child(cutter, [data], RANGE, limits=LIMITS)
    except CutbackError as error:
        return error


# --- not a recording at all ------------------------------------------------------------------------


def _picture(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (10, 120, 200)).save(file, kind)
    return file.getvalue()


def _wav() -> bytes:
    body = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 48000, 96000, 2, 16)
    body += b"data" + struct.pack("<I", 96000) + bytes(96000)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


FTYP = _box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")
MVHD = _box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, 5000) + bytes(80))

NOT_RECORDINGS: dict[str, bytes] = {
    "empty": b"",
    "one byte": b"\0",
    "text": b"This is not a video, whatever its name says.\n" * 50,
    "random": random.Random(1).randbytes(300_000),
    "zeros": bytes(100_000),
    "jpeg": _picture("JPEG"),
    "png": _picture("PNG"),
    "gif": _picture("GIF"),
    "wav": _wav(),
    "html": b"<!DOCTYPE html><html><body><video src='http://127.0.0.1/'></video></body></html>",
    "ftyp alone": FTYP,
    "no moov": FTYP + _box(b"mdat", bytes(5000)),
    "no tracks": FTYP + _box(b"moov", MVHD) + _box(b"mdat", bytes(5000)),
    "empty moov": FTYP + _box(b"moov"),
    "moov of a size that overflows": FTYP + struct.pack(">I4sQ", 1, b"moov", 2**63) + MVHD,
    "box of size 3": FTYP + struct.pack(">I4s", 3, b"moov") + bytes(100),
    "a thousand boxes of no size": FTYP + struct.pack(">I4s", 8, b"free") * 1000,
    "matroska header alone": bytes.fromhex("1a45dfa3") + bytes(200),
    "ts sync bytes alone": (b"\x47" + bytes(187)) * 500,
}


@pytest.mark.parametrize("kind", NOT_RECORDINGS)
def test_what_is_no_recording_is_named_so(kind: str, shared_cutter: ChildCutter) -> None:
    with pytest.raises(NAMED) as refused:
        cut_in_child(shared_cutter, [NOT_RECORDINGS[kind]], RANGE, limits=LIMITS)
    assert str(refused.value)


def test_an_mp4_without_picture_and_sound_is_named_so(recording: Recordings, shared_cutter: ChildCutter) -> None:
    data = bytearray(recording("pyramid").path.read_bytes())
    for begin, _ in find_boxes(bytes(data), b"moov", b"trak", b"mdia", b"hdlr"):
        data[begin + 8 : begin + 12] = b"text"
    with pytest.raises(NAMED):
        cut_in_child(shared_cutter, [bytes(data)], RANGE, limits=LIMITS)


# --- texts that name other files -------------------------------------------------------------------

CANARY = "canary-7f3a91"


class _Notebook(http.server.BaseHTTPRequestHandler):
    """Answers every request with the recording it is given, and notes that it was asked."""

    asked: list[str]
    content: bytes

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


@pytest.fixture
def notebook(recording: Recordings) -> Iterator[tuple[str, list[str]]]:
    """A web server that should never be asked: its address, and what it was asked."""
    asked: list[str] = []
    handler = type("Handler", (_Notebook,), {"asked": asked, "content": recording("pyramid").path.read_bytes()})
    with serving(handler) as address:
        yield address, asked


def lures(url: str, path: Path) -> dict[str, bytes]:
    """Texts that make a careless reader open `url` or `path`."""
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXT-X-VERSION:3\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n"
    sdp = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    sdp += "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
    dash = (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT10S">'
        '<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>{}</BaseURL>'
        "</Representation></AdaptationSet></Period></MPD>"
    )
    texts = {
        "m3u8 with a URL": playlist.format(url + "/a.ts"),
        "m3u8 with a path": playlist.format(path),
        "m3u8 with a file URL": playlist.format(f"file://{path}"),
        "m3u8 with a relative path": playlist.format(path.name),
        "m3u8 with concat": playlist.format(f"concat:{path}|{path}"),
        "m3u8 with a key": f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{url}/key"\n#EXTINF:10,\n{url}/a.ts\n',
        "m3u8 with a map": f'#EXTM3U\n#EXT-X-MAP:URI="{url}/map"\n#EXTINF:10,\n{path}\n#EXT-X-ENDLIST\n',
        "ffconcat with a path": f"ffconcat version 1.0\nfile '{path}'\n",
        "ffconcat with a relative path": f"ffconcat version 1.0\nfile '{path.name}'\n",
        "ffconcat with a URL": f"ffconcat version 1.0\nfile '{url}/a.mp4'\n",
        "sdp": sdp,
        "dash with a URL": dash.format(url + "/a.mp4"),
        "dash with a path": dash.format(path),
    }
    return {name: text.encode() for name, text in texts.items()}


@pytest.mark.parametrize("lure", lures("", Path("x")))
def test_texts_that_name_others_open_nothing(
    lure: str,
    notebook: tuple[str, list[str]],
    tmp_path: Path,
    recording: Recordings,
    cutter: ChildCutter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, asked = notebook
    other = tmp_path / f"{CANARY}.mp4"
    other.write_bytes(recording("pyramid").path.read_bytes())
    # A file that was opened has a later access time, where the file system keeps them.
    os.utime(other, ns=(0, other.stat().st_mtime_ns))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NAMED) as refused:
        cut_in_child(cutter, [lures(url, other)[lure]], RANGE, limits=LIMITS)
    assert asked == []
    assert other.stat().st_atime_ns == 0
    assert CANARY not in str(refused.value)


def test_the_check_for_opened_files_can_fail(tmp_path: Path) -> None:
    """Where access times are not kept, the check above rests on the refusal alone."""
    file = tmp_path / "read"
    file.write_bytes(b"x")
    os.utime(file, ns=(0, file.stat().st_mtime_ns))
    file.read_bytes()
    if file.stat().st_atime_ns == 0:
        pytest.skip("this file system keeps no access times")


def test_the_lures_would_be_followed_by_a_careless_reader(notebook: tuple[str, list[str]], tmp_path: Path) -> None:
    """The test above can fail: FFmpeg itself fetches what a playlist names."""
    url, asked = notebook
    playlist = tmp_path / "lure.m3u8"
    playlist.write_bytes(lures(url, tmp_path / "x")["m3u8 with a URL"])
    options = {"protocol_whitelist": "file,http,tcp", "allowed_extensions": "ALL", "extension_picky": "0"}
    with contextlib.suppress(av.FFmpegError), av.open(str(playlist), options=options) as container:
        next(container.demux())
    assert asked


# --- damaged recordings ----------------------------------------------------------------------------


def _places(data: bytes) -> dict[str, int]:
    """Where to cut a file short: in every top part, and just before and behind its borders."""
    (moov, moov_end), *_ = find_boxes(data, b"moov")
    (mdat, mdat_end), *_ = find_boxes(data, b"mdat")
    places = {"in ftyp": 12, "one byte less": len(data) - 1, "behind ftyp": 32}
    for name, begin, end in (("moov", moov, moov_end), ("mdat", mdat, mdat_end)):
        places |= {
            f"before {name}": begin - 8,
            f"in {name}'s header": begin - 3,
            f"at {name}'s content": begin,
        }
        places |= {f"{name} at {share} %": begin + (end - begin) * share // 100 for share in (10, 35, 60, 85, 99)}
    return places


def is_right(clip: CutResult) -> Presented:
    """A clip of a damaged recording is one that plays, of as many frames as it says."""
    shown = decode_presented(clip.data)
    assert len(shown.frames) == clip.facts.frames
    assert decode_warnings(clip.data) == []
    return shown


@pytest.mark.parametrize("name", slow_except(["pyramid", "no-b-frames", "fragmented", "mkv", "ts"], "ts"))
def test_a_truncated_recording_is_cut_rightly_or_named(
    name: str, recording: Recordings, shared_cutter: ChildCutter
) -> None:
    reference = recording(name)
    data = reference.path.read_bytes()
    is_mp4 = reference.path.suffix == ".mp4"
    places = _places(data) if is_mp4 else {f"{share} %": len(data) * share // 100 for share in (1, 5, 20, 50, 80, 99)}
    faults = []
    for place, size in places.items():
        outcome = attempt(shared_cutter, data[:size])
        if isinstance(outcome, CutbackError):
            if outcome.reason not in {"media_unreadable", "media_unsupported", "range_outside_recording"}:
                faults.append(f"{place} ({size} bytes): {outcome.reason} {outcome.detail}")
            continue
        try:
            shown = is_right(outcome)
            assert shown.counters == list(range(shown.counters[0], shown.counters[-1] + 1)), "no holes"
        except (AssertionError, ValueError) as error:
            faults.append(f"{place} ({size} bytes): {str(error)[:300]}")
    assert not faults, "\n".join(faults)


def test_a_recording_whose_mdat_is_empty_is_named(recording: Recordings, shared_cutter: ChildCutter) -> None:
    data = recording("pyramid").path.read_bytes()
    (mdat, _), *_ = find_boxes(data, b"mdat")
    for end in (data[: mdat - 8] + _box(b"mdat"), data[: mdat - 8]):
        outcome = attempt(shared_cutter, end)
        assert isinstance(outcome, MediaUnreadableError), outcome


def test_a_recording_whose_media_is_zeroed_is_named(recording: Recordings, shared_cutter: ChildCutter) -> None:
    data = recording("pyramid").path.read_bytes()
    (mdat, end), *_ = find_boxes(data, b"mdat")
    outcome = attempt(shared_cutter, data[:mdat] + bytes(end - mdat))
    assert isinstance(outcome, CutbackError), "nothing of it can be decoded"
    assert outcome.reason in {"media_unreadable", "clip_damaged"}


def test_a_join_whose_first_recording_has_no_picture_left_says_so(media_folder: Path) -> None:
    """Decoders of HEVC skip slices that they do not understand, without an error. The second one has another shape."""
    path = cached_media(MediaSpec(frames=30, gop=30, codec="libx265", tag="hvc1", audio=None), media_folder)
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.pos is not None]
    kept = 6  # the length and the kind of its only unit
    for at, size in packets:
        data[at + kept : at + size] = bytes(max(0, size - kept))
    other = cached_media(MediaSpec(frames=30, width=400, audio=None), media_folder)
    joined = [bytes(data), other.read_bytes()]
    ranges = ask((0, Fraction(0), Fraction(1)), (1, Fraction(0), Fraction(1)))
    words = "The first picture of the clip cannot be decoded"
    with pytest.raises(MediaUnreadableError, match=words):
        cut_ranges(joined, ranges)
    edits = (Scale(100, None, "fit", enlarge=False),)
    with pytest.raises(MediaUnreadableError, match=words):
        preview(CutJob(tuple(map(len, joined)), ranges, edits=edits), [BytesSource(each) for each in joined])


def test_sizes_that_a_header_merely_claims_take_no_memory(recording: Recordings, shared_cutter: ChildCutter) -> None:
    data = bytearray(recording("pyramid").path.read_bytes())
    at = data.find(b"avc1", 40) + 4 + 24
    struct.pack_into(">HH", data, at, 65535, 65535)
    outcome = attempt(shared_cutter, bytes(data))
    if isinstance(outcome, CutbackError):
        assert isinstance(outcome, NAMED)
    else:
        assert len(decode_presented(outcome.data).frames) == outcome.facts.frames


def test_tables_that_claim_billions_of_samples_are_refused(recording: Recordings, shared_cutter: ChildCutter) -> None:
    data = recording("pyramid").path.read_bytes()
    for table, at in ((b"stsz", 8), (b"stts", 4), (b"stts", 8), (b"stsc", 4), (b"ctts", 8), (b"stss", 4)):
        changed = bytearray(data)
        for begin, _ in find_boxes(data, b"moov", b"trak", b"mdia", b"minf", b"stbl", table):
            struct.pack_into(">I", changed, begin + at, 0xFFFFFFFF)
        outcome = attempt(shared_cutter, bytes(changed))
        if isinstance(outcome, CutbackError):
            assert isinstance(outcome, NAMED), f"{table!r}: {outcome!r}"


# --- mutations -------------------------------------------------------------------------------------

MUTATIONS = [10, pytest.param(50, marks=pytest.mark.slow)]
"""Of each recording."""


def run_mutations(path: Path, count: int, seed: int) -> list[dict[str, str]]:
    """What became of `count` cuts of a file whose index has flipped bits, in a process of their own."""
    command = [sys.executable, "-m", "tests.media.mutate", str(path), str(count), str(seed)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*filter(None, sys.path), "."])}
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment, cwd=root, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"ended with {done.returncode} after {len(lines)} mutations: {done.stderr[-1500:]}"
    return lines


@pytest.mark.parametrize("count", MUTATIONS)
@pytest.mark.parametrize("name", slow_except(["pyramid", "fragmented", "mkv", "ts"], "pyramid", "ts"))
def test_flipped_bits_give_named_errors_or_clips_that_play(name: str, count: int, recording: Recordings) -> None:
    outcomes = run_mutations(recording(name).path, count, 11)
    assert len(outcomes) == count
    faults = [f"mutation {one['number']}: {one['fault']}" for one in outcomes if one.get("fault")]
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults)


@pytest.mark.parametrize("number", range(6))
def test_flipped_bits_end_in_the_child_process_as_well(
    number: int, recording: Recordings, shared_cutter: ChildCutter
) -> None:
    from tests.media.mutate import mutated

    outcome = attempt(shared_cutter, mutated(recording("pyramid").path.read_bytes(), 11, number))
    assert isinstance(outcome, CutResult | CutbackError)


def test_after_bad_input_the_next_job_works(recording: Recordings, shared_cutter: ChildCutter) -> None:
    assert isinstance(attempt(shared_cutter, b"rubbish" * 1000), CutbackError)
    outcome = attempt(shared_cutter, recording("pyramid").path.read_bytes())
    assert isinstance(outcome, CutResult)
    is_right(outcome)


def test_a_store_that_fails_is_the_error_of_the_job(recording: Recordings, cutter: ChildCutter) -> None:
    from cutback.domain.errors import SourceChangedError

    class Changing(BytesSource):
        def read_at(self, offset: int, length: int) -> bytes:
            if self.bytes_read > 20_000:
                raise SourceChangedError("It has another etag.")
            return super().read_at(offset, length)

    with pytest.raises(SourceChangedError):
        cut_in_child(cutter, [Changing(recording("pyramid").path.read_bytes())], RANGE)
