"""Tags in MP4 and MOV: reads iTunes lists, QuickTime's texts and keys, and 3GPP's boxes; writes iTunes lists."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress

from cutback.cutting.mp4.boxes import box, child, children, full_box
from cutback.cutting.tags import Chapter, Tags, decode_text, tags_of, title_of, unreadable
from cutback.domain.errors import MediaUnreadableError

_TITLE, _ARTIST, _COMMENT, _LOCATION = b"\xa9nam", b"\xa9ART", b"\xa9cmt", b"\xa9xyz"
_NAMES = {
    _TITLE: "title",
    _ARTIST: "artist",
    b"\xa9aut": "artist",
    b"\xa9art": "artist",
    b"\xa9prf": "artist",
    _COMMENT: "comment",
    b"\xa9des": "description",
    b"\xa9inf": "comment",
    b"\xa9cpy": "copyright",
    _LOCATION: "location",
    b"desc": "description",
    b"cprt": "copyright",
    b"titl": "title",
    b"auth": "artist",
    b"perf": "artist",
    b"dscp": "description",
}
_KEYS = {
    "title": "title",
    "displayname": "title",
    "artist": "artist",
    "author": "artist",
    "comment": "comment",
    "description": "description",
    "copyright": "copyright",
    "location.ISO6709": "location",
    "location": "location",
}
_APPLE = "com.apple.quicktime."
_WRITTEN = {_TITLE: "title", _ARTIST: "artist", _COMMENT: "comment", b"desc": "description", b"cprt": "copyright"}
_ITUNES = b"com.apple.iTunes"
_ENGLISH, _UTF8, _UTF16 = 0x15C7, 1, 2
"""Packed ISO 639-2 "eng", and the types of UTF-8 and UTF-16 values."""
_CHPL_TICKS = 10_000_000
"""Ticks a second of the list of chapters."""
_HANDLER = full_box(b"hdlr", 0, 0, struct.pack(">4x4s4s9x", b"mdir", b"appl"))


def read_tags(moov: memoryview) -> tuple[Tags, tuple[str, ...]]:
    """Return the tags of a movie, and notes about those that are not text."""
    texts: dict[str, str | None] = {}
    for source in (_keyed, _listed, _plain):
        with suppress(struct.error, IndexError, ValueError, MediaUnreadableError):
            for name, text in source(moov):
                if texts.get(name) is None:
                    texts[name] = text
    return tags_of(texts), unreadable(texts)


def read_track_title(trak: memoryview, hdlr: memoryview) -> str:
    """Return a track's title or its handler's name; empty if that is only a generic name."""
    with suppress(struct.error, IndexError, ValueError, MediaUnreadableError):
        own = child(trak, b"udta", b"name")
        if own is not None:
            return title_of({"title": decode_text(bytes(own))})
    name = bytes(hdlr[24:])
    if name and name[0] == len(name.rstrip(b"\0")) - 1:  # QuickTime puts the length first
        name = name[1:]
    return title_of({"handler_name": decode_text(name)})


def has_cover(moov: memoryview) -> bool:
    """Whether the tags contain a picture."""
    with suppress(struct.error, IndexError, ValueError, MediaUnreadableError):
        return any(kind == b"covr" for kind, _ in _items(moov))
    return False


def has_chapters(moov: memoryview) -> bool:
    """Whether there is a list of chapters."""
    with suppress(struct.error, IndexError, ValueError, MediaUnreadableError):
        return child(moov, b"udta", b"chpl") is not None
    return False


def _meta(parent: memoryview | None) -> memoryview | None:
    meta = None if parent is None else child(parent, b"meta")
    if meta is not None and bytes(meta[4:8]) != b"hdlr":  # MP4 gives this box a version and flags
        meta = meta[4:]
    return meta


def _items(moov: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    meta = _meta(child(moov, b"udta"))
    values = None if meta is None else child(meta, b"ilst")
    yield from () if values is None else children(values)


def _listed(moov: memoryview) -> Iterator[tuple[str, str | None]]:
    for kind, payload in _items(moov):
        data = child(payload, b"data")
        if kind in _NAMES and data is not None:
            yield _NAMES[kind], _value(data)


def _keyed(moov: memoryview) -> Iterator[tuple[str, str | None]]:
    """Read QuickTime's keys and values."""
    meta = _meta(moov) or _meta(child(moov, b"udta"))
    keys, values = (None, None) if meta is None else (child(meta, b"keys"), child(meta, b"ilst"))
    if keys is None or values is None:
        return
    names = [bytes(name).decode("latin-1").removeprefix(_APPLE) for _, name in children(keys[8:])]
    for kind, payload in children(values):
        number, data = int.from_bytes(kind), child(payload, b"data")
        if data is not None and 0 < number <= len(names) and names[number - 1] in _KEYS:
            yield _KEYS[names[number - 1]], _value(data)


def _plain(moov: memoryview) -> Iterator[tuple[str, str | None]]:
    """Read QuickTime's user data (texts with length and language) and 3GPP's (with language)."""
    udta = child(moov, b"udta")
    for kind, payload in () if udta is None else children(udta):
        if kind not in _NAMES and kind != b"loci":
            continue
        if kind == b"loci":
            yield "location", _place(payload)
        elif kind[0] == 0xA9:
            (length,) = struct.unpack_from(">H", payload)
            yield _NAMES[kind], decode_text(bytes(payload[4 : 4 + length]))
        else:
            yield _NAMES[kind], decode_text(bytes(payload[6:]))


def _place(loci: memoryview) -> str:
    """Convert 3GPP's location (TS 26.244, 8.10) to ISO 6709."""
    data = bytes(loci)
    at = data.index(b"\0", 6) + 2  # after a name and a role
    longitude, latitude, altitude = struct.unpack_from(">iii", data, at)
    return _degrees(latitude, 2) + _degrees(longitude, 3) + (_degrees(altitude, 1) if altitude else "") + "/"


def _degrees(fixed: int, digits: int) -> str:
    """Format a 16.16 fixed-point number with four decimals."""
    whole, part = divmod(round(abs(fixed) * 10_000 / 65536), 10_000)
    return f"{'-' if fixed < 0 else '+'}{whole:0{digits}}.{part:04}"


def _value(data: memoryview) -> str | None:
    """Decode the content of a `data` box: a type, a locale, and the value."""
    kind, value = int.from_bytes(data[:4]), bytes(data[8:])
    return decode_text(b"\xfe\xff" + value if kind == _UTF16 else value)


def written_tags(tags: Tags) -> bytes:
    """Build a `udta` box; empty if there are no tags."""
    items = [_item(kind, getattr(tags, name)) for kind, name in _WRITTEN.items() if getattr(tags, name)]
    items += [_labelled(name, text) for name, text in tags.labels]
    boxes = [full_box(b"meta", 0, 0, _HANDLER, box(b"ilst", *items))] if items else []
    if tags.location:
        place = tags.location.encode()
        boxes.append(box(_LOCATION, struct.pack(">HH", len(place), _ENGLISH), place))
    if tags.chapters:
        boxes.append(_chapter_list(tags.chapters))
    return box(b"udta", *boxes) if boxes else b""


def _chapter_list(chapters: Sequence[Chapter]) -> bytes:
    """Build Nero's `chpl`: for each chapter its time, and its title behind a byte for the length."""
    rows = (
        struct.pack(">QB", round(chapter.at * _CHPL_TICKS), len(title := chapter.title.encode())) + title
        for chapter in chapters
    )
    return full_box(b"chpl", 1, 0, struct.pack(">4xB", len(chapters)), *rows)


def _item(kind: bytes, text: str) -> bytes:
    return box(kind, _data(text))


def _labelled(name: str, text: str) -> bytes:
    """An item with a name of its own, as iTunes writes it."""
    names = full_box(b"mean", 0, 0, _ITUNES), full_box(b"name", 0, 0, name.encode())
    return box(b"----", *names, _data(text))


def _data(text: str) -> bytes:
    return box(b"data", struct.pack(">II", _UTF8, 0), text.encode())


def written_track_title(title: str) -> bytes:
    """Build a track's `udta` box; empty if it has no title."""
    return box(b"udta", box(b"name", title.encode())) if title else b""
