"""What `Accept-Encoding` allows."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from cutback.web.api.content_coding import accepts_gzip


@pytest.mark.parametrize(
    ("sent", "accepted"),
    [
        ([], False),
        ([""], False),
        (["gzip"], True),
        (["GZIP"], True),
        (["x-gzip"], True),
        (["deflate, gzip, br"], True),
        (["br;q=1.0,gzip ; q=0.001"], True),
        (["br", "gzip"], True),
        (["*"], True),
        (["br, *;q=0.5"], True),
        (["identity"], False),
        (["br, deflate"], False),
        (["gzip;q=0"], False),
        (["gzip; Q=0.000, br"], False),
        (["gzip;q=0, *"], False),
        (["*;q=0"], False),
        (["gzip, *;q=0"], True),
        (["gzip;q=much"], False),
        (["gzip;q=2"], False),
        (["gzipped"], False),
    ],
    ids=str,
)
def test_gzip_is_sent_only_to_those_who_take_it(sent: list[str], *, accepted: bool) -> None:
    headers = Headers(raw=[(b"accept-encoding", each.encode()) for each in sent])
    assert accepts_gzip(headers) == accepted
