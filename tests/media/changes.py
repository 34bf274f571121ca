"""Changes to generated recordings that no encoder or muxer makes by itself."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import av
from tests.media.cuts import boxes, find_boxes
from tests.media.recipes import Change
from tests.support.made_once import made_once

from cutback.cutting.bits import BitReader, BitWriter, escape, unescape
from cutback.cutting.codecs.h264.nal import parse_configuration
from cutback.cutting.mp4.entries import aac_entry

TS_PACKET = 188


def put_together(paths: list[Path], change: Change) -> Path:
    """Recordings of one kind as one file: their bytes, or with `entries` their samples, one after another."""
    joined = paths[0].with_name("-".join(path.stem[:12] for path in paths) + f"{change[:7]}{paths[0].suffix}")
    if change == "entries":
        return made_once(joined, lambda making: append_track(paths[0], paths[1], making))
    return made_once(joined, lambda making: making.write_bytes(b"".join(path.read_bytes() for path in paths)))


def changed(path: Path, change: Change) -> Path:
    """A changed copy of a recording."""
    which, _, amount = change.partition(" ")
    suffix = amount.split()[0] if which == "remux" else path.suffix

    def make(making: Path) -> None:
        match which:
            case "first":
                making.write_bytes(shorten_edits(path.read_bytes(), Fraction(amount.split()[0])))
            case "clock":
                making.write_bytes(jump_clock(path.read_bytes(), Fraction(amount)))
            case "boxes":
                old, new = amount.encode().split()
                making.write_bytes(path.read_bytes().replace(old, new))
            case "no-vui":
                making.write_bytes(without_vui(path.read_bytes()))
            case "hide":
                hide_pictures(path, making)
            case "zero":
                making.write_bytes(with_deltas_of_zero(path.read_bytes()))
            case "said":
                making.write_bytes(with_sound_entry(path.read_bytes(), channels=int(amount)))
            case "config":
                making.write_bytes(with_sound_entry(path.read_bytes(), config=bytes.fromhex(amount)))
            case "remux":
                remux(path, making, amount.split()[1])
            case _:
                shift_streams(path, making, which, Fraction(amount))

    return made_once(path.with_name(f"{path.stem}-{change.replace(' ', '_')}{suffix}"), make)


def shift_streams(path: Path, target: Path, which: str, by: Fraction) -> None:
    """Copy the packets, those of one kind (or `both`) later by `by` seconds; what falls below 0 is edited out."""
    options = {"movie_timescale": "48000", "avoid_negative_ts": "disabled"}
    with av.open(str(path)) as source, av.open(str(target), "w", container_options=options) as out:
        streams = {s.index: out.add_stream_from_template(s) for s in source.streams if s.type in {"video", "audio"}}
        for packet in source.demux():
            if packet.dts is None:
                continue
            if which in {"both", packet.stream.type}:
                ticks = round(by / packet.time_base)
                packet.pts, packet.dts = (packet.pts or 0) + ticks, packet.dts + ticks
            packet.stream = streams[packet.stream_index]
            out.mux(packet)


def shorten_edits(data: bytes, length: Fraction) -> bytes:
    """Let every track's edit list end after `length` seconds."""
    changed = bytearray(data)
    (mvhd, _), *_ = find_boxes(data, b"moov", b"mvhd")
    (timescale,) = struct.unpack_from(">I", data, mvhd + 12)
    for begin, _ in find_boxes(data, b"moov", b"trak", b"edts", b"elst"):
        assert struct.unpack_from(">II", data, begin) == (0, 1)
        struct.pack_into(">I", changed, begin + 8, round(length * timescale))
    return bytes(changed)


def remux(path: Path, target: Path, tag: str) -> None:
    """Copy the pictures' packets into another container, parameter sets in the samples and all."""
    options = {"avoid_negative_ts": "disabled"}
    with av.open(str(path)) as source, av.open(str(target), "w", container_options=options) as out:
        stream = source.streams.video[0]
        copied = out.add_stream_from_template(stream)
        copied.codec_context.codec_tag = tag
        zero: int | None = None
        for packet in source.demux(stream):
            if packet.dts is None or packet.pts is None:
                continue
            zero = packet.pts if zero is None else zero
            packet.pts, packet.dts = packet.pts - zero, packet.dts - zero
            packet.stream = copied
            out.mux(packet)


def jump_clock(data: bytes, by: Fraction) -> bytes:
    """A TS whose clock (PCR, PTS, DTS) jumps by some seconds, at a keyframe in its second half."""
    jumped = bytearray(data)
    pictures = _pid_of_pictures(data)
    ticks, begun = round(by * 90000), False
    for at in range(0, len(data), TS_PACKET):
        flags = data[at + 3]
        payload = at + 4
        if flags & 0x20:  # an adaptation field
            length = data[payload]
            if length and data[payload + 1] & 0x40 and _pid(data, at) == pictures and at > len(data) // 2:
                begun = True  # random_access_indicator
            if begun and length and data[payload + 1] & 0x10:
                base = int.from_bytes(data[payload + 2 : payload + 8]) >> 15
                rest = int.from_bytes(data[payload + 2 : payload + 8]) & 0x7FFF
                jumped[payload + 2 : payload + 8] = ((base + ticks) % 2**33 << 15 | rest).to_bytes(6)
            payload += 1 + length
        starts = data[at + 1] & 0x40 and data[payload : payload + 3] == b"\0\0\1" and data[payload + 3] >= 0xBD
        if begun and starts:
            for field in range(2 if data[payload + 7] & 0x40 else 1 if data[payload + 7] & 0x80 else 0):
                place = slice(payload + 9 + 5 * field, payload + 14 + 5 * field)
                jumped[place] = _stamp(data[place], ticks)
    assert begun, "a keyframe in the second half"
    return bytes(jumped)


def step_sound(data: bytes, start: Fraction, by: Fraction) -> bytes:
    """A TS whose sound is later (or earlier) by some seconds from a time on; pictures and clock stay."""
    changed = bytearray(data)
    for at in range(0, len(data), TS_PACKET):
        payload = at + 4 + (1 + data[at + 4] if data[at + 3] & 0x20 else 0)
        if data[at + 1] & 0x40 and data[payload : payload + 3] == b"\0\0\1" and data[payload + 3] & 0xE0 == 0xC0:
            place = slice(payload + 9, payload + 14)
            if _ticks(data[place]) >= start * 90_000:
                changed[place] = _stamp(data[place], round(by * 90_000))
    return bytes(changed)


def step_fragments(data: bytes, start: Fraction, by: Fraction) -> bytes:
    """A fragmented MP4 whose sound, the second track, is later by some seconds from a time on."""
    changed = bytearray(data)
    for begin, end in find_boxes(data, b"moof", b"traf"):
        found = {kind: content for kind, _, content, _ in boxes(data, begin, end)}
        (track,) = struct.unpack_from(">I", data, found[b"tfhd"] + 4)
        form = ">Q" if data[found[b"tfdt"]] == 1 else ">I"
        (time,) = struct.unpack_from(form, data, found[b"tfdt"] + 4)
        if track == 2 and time >= start * 48_000:
            struct.pack_into(form, changed, found[b"tfdt"] + 4, time + round(by * 48_000))
    return bytes(changed)


def _pid(data: bytes, at: int) -> int:
    return int.from_bytes(data[at + 1 : at + 3]) & 0x1FFF


def _pid_of_pictures(data: bytes) -> int:
    for at in range(0, len(data), TS_PACKET):
        payload = at + 4 + (1 + data[at + 4] if data[at + 3] & 0x20 else 0)
        if data[at + 1] & 0x40 and data[payload : payload + 3] == b"\0\0\1" and data[payload + 3] & 0xF0 == 0xE0:
            return _pid(data, at)
    raise AssertionError("no pictures")


def _stamp(field: bytes, ticks: int) -> bytes:
    """A PTS or DTS field (ISO/IEC 13818-1, 2.4.3.7) later by some ticks."""
    word = int.from_bytes(field)
    time = (_ticks(field) + ticks) % 2**33
    kept = word & (0xF << 36 | 1 << 32 | 1 << 16 | 1)
    return (kept | (time >> 30) << 33 | (time >> 15 & 0x7FFF) << 17 | (time & 0x7FFF) << 1).to_bytes(5)


def _ticks(field: bytes) -> int:
    word = int.from_bytes(field)
    return (word >> 33 & 7) << 30 | (word >> 17 & 0x7FFF) << 15 | word >> 1 & 0x7FFF


def append_track(first: Path, second: Path, target: Path) -> None:
    """The first tracks of two MP4s as one with a sample entry for each; the second's times follow the first's."""
    with av.open(str(first)) as one, av.open(str(second)) as two, av.open(str(target), "w") as out:
        stream = out.add_stream_from_template(one.streams[0])
        count = 0
        end = 0
        for source in (one, two):
            for packet in source.demux(source.streams[0]):
                if packet.pts is not None and stream.type == "audio":
                    if source is two and packet.pts < 0:
                        continue  # its priming; what sounds before is the other's last packet
                    if source is one:
                        end = packet.pts + (packet.duration or 0)
                    else:
                        packet.pts = packet.dts = packet.pts + end
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)
                    count += source is one
    target.write_bytes(with_second_entry(target.read_bytes(), second.read_bytes(), count))


STSD = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")


def with_second_entry(data: bytes, other: bytes, count: int) -> bytes:
    """An MP4 of one track, its index last, whose samples from `count` on have the sample entry of another's."""
    (begin, end), *_ = find_boxes(other, *STSD)
    entry = other[begin + 8 : end]
    sizes = _column(data, b"stsz", 8)
    offsets = []
    chunks, runs = _column(data, b"stco", 4), _column(data, b"stsc", 4)
    rows = [runs[n : n + 3] for n in range(0, len(runs), 3)]
    number = 0
    for chunk, offset in enumerate(chunks, 1):
        at = offset
        for _ in range(next(row[1] for row in reversed(rows) if row[0] <= chunk)):
            offsets.append(at)
            at += sizes[number]
            number += 1
    tables = {
        b"stco": struct.pack(f">II{len(offsets)}I", 0, len(offsets), *offsets),
        b"stsc": struct.pack(">II6I", 0, 2, 1, 1, 1, count + 1, 1, 2),
    }
    (begin, end), *_ = find_boxes(data, *STSD)
    tables[b"stsd"] = struct.pack(">II", 0, 2) + data[begin + 8 : end] + entry
    moov = next(at for kind, at, _, _ in boxes(data) if kind == b"moov")
    assert moov > data.index(b"mdat"), "chunks stay where they are"
    return data[:moov] + _rebuilt(data, moov, len(data), tables, {})


def hide_pictures(path: Path, target: Path) -> None:
    """VP8 or VP9 in which every ninth packet shows nothing, like an alternate reference frame."""
    with (
        av.open(str(path)) as source,
        # Otherwise the muxer puts hidden frames of VP9 into the packets that follow.
        av.open(str(target), "w", container_options={"fflags": "-autobsf"}) as out,
    ):
        streams = {stream.index: out.add_stream_from_template(stream) for stream in source.streams}
        video = source.streams.video[0]
        count = 0
        for packet in source.demux():
            if not packet.size:
                continue
            made = packet
            if packet.stream.type == "video":
                count += 1
                data = bytes(packet)
                if count % 9 == 5 and not packet.is_keyframe:
                    is_vp8 = video.codec_context.name == "vp8"
                    data = bytes([data[0] & ~0x10]) + data[1:] if is_vp8 else _hidden_vp9(data, video.width)
                made = av.Packet(data)
                made.pts, made.dts, made.time_base = packet.pts, packet.dts, packet.time_base
                made.is_keyframe = packet.is_keyframe
            made.stream = streams[packet.stream_index]
            out.mux(made)


def _hidden_vp9(packet: bytes, width: int) -> bytes:
    """A frame of VP9 (profile 0, error-resilient, less than 512 pixels wide) that is decoded and not shown (6.2)."""
    assert width < 512, "no bits for columns of tiles"
    reader, writer = BitReader(packet), BitWriter()
    assert reader.bits(8) & 0b11111101 == 0b10000101, "an error-resilient frame between keyframes"
    reader.bits(8 + 3 * 4)  # refresh_frame_flags, references
    assert reader.flag(), "the size of a reference"
    reader.bits(1 + 1)  # render_and_frame_size_different, allow_high_precision_mv
    if not reader.flag():
        reader.bits(2)  # the interpolation filter
    reader.bits(2 + 6 + 3)  # frame_context_idx, loop filter
    if reader.flag() and reader.flag():
        for length in (6,) * 6:
            if reader.flag():
                reader.bits(length + 1)
    reader.bits(8)
    for _ in range(3):
        if reader.flag():
            reader.bits(5)
    assert not reader.flag(), "segmentation"
    if reader.flag():
        reader.flag()
    reader.bits(16)  # header_size_in_bytes
    stop, rest = reader.position, packet[-(-reader.position // 8) :]
    writer.put(0b10000101, 8)
    writer.put(0, 1)  # intra_only
    reader.position = 8
    writer.copy(reader, stop)
    writer.align(0)
    return writer.bytes() + rest


def without_vui(data: bytes) -> bytes:
    """An MP4 of H.264 whose SPS says nothing of reordering (nor of colours); its size stays."""
    (begin, end), *_ = find_boxes(data, *STSD)
    at = data.index(b"avcC", begin, end) + 4
    [sps] = parse_configuration(data[at:end]).sps
    reader = BitReader(unescape(sps[1:]))
    profile = reader.bits(24) >> 16
    reader.unsigned()
    if profile >= 100:
        assert (reader.unsigned(), reader.unsigned(), reader.unsigned(), reader.bits(2)) == (1, 0, 0, 0)
    reader.unsigned()
    assert reader.unsigned() == 0, "pic_order_cnt_type"
    for _ in range(2):
        reader.unsigned()
    reader.flag()
    for _ in range(2):
        reader.unsigned()
    assert reader.flag(), "frames only"
    reader.flag()
    if reader.flag():
        for _ in range(4):
            reader.unsigned()
    stop, writer = reader.position, BitWriter()
    reader.position = 0
    writer.copy(reader, stop)
    writer.put(0b01, 2)  # no VUI; the stop bit
    writer.align(0)
    shorter = sps[:1] + escape(writer.bytes())
    return data.replace(sps, shorter + bytes(len(sps) - len(shorter)))  # zeros may follow (7.3.1)


def with_deltas_of_zero(data: bytes) -> bytes:
    """An MP4 in which samples that last a tick last none."""
    changed = bytearray(data)
    for begin, end in find_boxes(data, *STSD[:-1], b"stts"):
        for at in range(begin + 8, end, 8):
            if struct.unpack_from(">I", data, at + 4) == (1,):
                struct.pack_into(">I", changed, at + 4, 0)
    assert changed != data, "there are such samples"
    return bytes(changed)


def with_empty_samples(data: bytes, handler: bytes, wanted: Callable[[int], bool]) -> tuple[bytes, list[int]]:
    """An MP4 in which those wanted samples of a track that end a chunk have no byte; also their numbers.

    Where other samples are does not change.
    """
    for begin, end in find_boxes(data, b"moov", b"trak"):
        trak = struct.pack(">I4s", end - begin + 8, b"trak") + data[begin:end]
        (hdlr, _), *_ = find_boxes(trak, *STSD[1:3], b"hdlr")
        if trak[hdlr + 8 : hdlr + 12] != handler:
            continue
        (runs, runs_end), *_ = find_boxes(trak, *STSD[1:-1], b"stsc")
        rows = [struct.unpack_from(">III", trak, at) for at in range(runs + 8, runs_end, 12)]
        (sizes, sizes_end), *_ = find_boxes(trak, *STSD[1:-1], b"stsz")
        count, last, chunk, emptied = (sizes_end - sizes - 12) // 4, -1, 1, []
        changed_data = bytearray(data)
        while last + 1 < count:
            last += next(row[1] for row in reversed(rows) if row[0] <= chunk)
            chunk += 1
            if wanted(last):
                struct.pack_into(">I", changed_data, begin - 8 + sizes + 12 + 4 * last, 0)
                emptied.append(last)
        return bytes(changed_data), emptied
    raise AssertionError("no such track")


def with_sound_entry(data: bytes, *, channels: int = 0, config: bytes = b"") -> bytes:
    """An MP4, its index last, whose sound is said to have other channels, or another AudioSpecificConfig."""
    moov, end = next((at, stop) for kind, at, _, stop in boxes(data) if kind == b"moov")
    assert moov > data.index(b"mdat"), "chunks stay where they are"
    for begin, stop in find_boxes(data, *STSD):
        entry = bytearray(data[begin + 8 : stop])
        if bytes(entry[4:8]) not in {b"mp4a", b"ac-3"}:
            continue
        if channels:
            struct.pack_into(">H", entry, 24, channels)
        if config:
            entry = bytearray(aac_entry(48_000, 2, config, 128_000))
        old, new = data[begin - 8 : stop], struct.pack(">I4sII", 16 + len(entry), b"stsd", 0, 1) + bytes(entry)
        return data[:moov] + _rebuilt(data, moov, end, {}, {old[8:]: new[8:]})
    raise AssertionError("no such sound")


def _column(data: bytes, table: bytes, at: int) -> list[int]:
    (begin, end), *_ = find_boxes(data, *STSD[:-1], table)
    return list(struct.unpack_from(f">{(end - begin - at - 4) // 4}I", data, begin + at + 4))


def _rebuilt(
    data: bytes,
    begin: int,
    end: int,
    tables: Mapping[bytes, bytes],
    contents: Mapping[bytes, bytes],
) -> bytes:
    """The boxes with other contents: those of a kind, or those that have a certain content."""
    parts = []
    for kind, _, content, stop in boxes(data, begin, end):
        body = tables.get(kind, data[content:stop])
        body = contents.get(body, body)
        if kind in {b"moov", b"trak", b"mdia", b"minf", b"stbl"}:
            body = _rebuilt(data, content, stop, tables, contents)
        parts.append(struct.pack(">I4s", 8 + len(body), kind) + body)
    return b"".join(parts)
