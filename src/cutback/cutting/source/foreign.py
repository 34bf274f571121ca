"""Recognizes files that Cutback does not support by their first bytes, whatever their names."""

from __future__ import annotations

import re

HEAD = 4096
"""Bytes that are examined."""

_SIGNATURES: tuple[tuple[str, re.Pattern[bytes]], ...] = tuple(
    (name, re.compile(pattern, re.DOTALL))
    for name, pattern in (
        ("FLV", rb"FLV\x01"),
        ("AVI", rb"(RIFF|ON2 )....AVI |OpenDML AVI"),
        ("WAV sound", rb"(RIFF|RF64|BW64)....WAVE"),
        ("a WebP picture", rb"RIFF....WEBP"),
        ("an MPEG program stream (MPG, VOB)", rb"\0\0\x01\xba"),
        ("a raw MPEG video stream", rb"\0\0\x01\xb3"),
        ("a raw MPEG-4 video stream", rb"\0\0\x01[\xb0\x00-\x1f\xb5].*\0\0\x01\xb6"),
        ("ASF (WMV, WMA)", rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
        ("MXF", rb"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02"),
        ("GXF", rb"\0\0\0\0\x01\xbc"),
        ("Ogg", rb"OggS"),
        ("IVF", rb"DKIF"),
        ("RealMedia", rb"\.RMF"),
        ("NUT", rb"nut/multimedia container"),
        ("YUV4MPEG", rb"YUV4MPEG2 "),
        ("a DV stream", rb"\x1f\x07\0[\x3f\xbf]"),
        ("a raw AV1 stream", rb"\x12\0\x0a"),
        ("a raw HEVC stream", rb"\0\0\0?\x01([\x40\x42]\x01|\x46\x01.\0\0)"),
        ("a raw H.264 stream", rb"\0\0\0?\x01[\x06\x09\x27\x47\x67].+\0\0\x01"),
        ("MP3 sound", rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]"),
        ("a raw AAC stream", rb"\xff[\xf0\xf1\xf8\xf9]"),
        ("a raw AC-3 stream", rb"\x0b\x77"),
        ("a raw DTS stream", rb"\x7f\xfe\x80\x01"),
        ("FLAC sound", rb"fLaC"),
        ("AIFF sound", rb"FORM....AIF[FC]"),
        ("CAF sound", rb"caff\0\x01"),
        ("AMR sound", rb"#!AMR"),
        ("a JPEG picture", rb"\xff\xd8\xff"),
        ("a PNG picture", rb"\x89PNG\r\n"),
        ("a GIF picture", rb"GIF8[79]a"),
        ("a TIFF picture", rb"II\*\0|MM\0\*"),
        ("a PDF document", rb"%PDF-"),
        ("a ZIP archive", rb"PK\x03\x04"),
        ("a gzip archive", rb"\x1f\x8b"),
        ("an HLS playlist", rb"(\xef\xbb\xbf)?#EXTM3U"),
    )
)


def foreign_kind(head: bytes) -> str | None:
    """Return the kind of a file with these first bytes, to follow "It is"; None if unknown."""
    return next((name for name, pattern in _SIGNATURES if pattern.match(head)), None)
