"""Which codings of an answer a client accepts."""

from __future__ import annotations

import re

from starlette.datastructures import Headers

_QUALITY = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


def accepts_gzip(headers: Headers) -> bool:
    """Whether the `Accept-Encoding` of a request allows gzip (RFC 9110, section 12.5.3). Pure.

    A quality of 0 refuses a coding. `*` stands for all codings without an entry of their own. A malformed entry refuses
    its coding: what is not compressed is right for everybody.
    """
    accepted: dict[str, bool] = {}
    for entry in ",".join(headers.getlist("accept-encoding")).lower().split(","):
        coding, *parameters = (part.strip() for part in entry.split(";"))
        accepted[coding] = all((found := _QUALITY.fullmatch(each)) and float(found[1]) > 0 for each in parameters)
    return next((accepted[coding] for coding in ("gzip", "x-gzip", "*") if coding in accepted), False)
