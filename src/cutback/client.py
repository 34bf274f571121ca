"""A client of the REST API: request clips, wait for them, follow events, download and upload files.

It needs no other module of Cutback, so that it is cheap to import in a program that only speaks to a server.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

FINAL_STATES = frozenset({"ready", "failed", "cancelled", "expired"})

_TRIES = 6
_LONGEST_PAUSE = 10.0
_WAIT_SECONDS = 20
_SILENCE_SECONDS = 45.0
"""An event stream that is silent for longer than its comments are apart is broken."""
_BALANCER_TROUBLE = frozenset({502, 503, 504})
"""What a load balancer answers, without a reason, while it finds no node that answers."""
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_LOST = (httpx.TransportError, httpx.StreamError)


class ApiError(Exception):
    """The server refused a request. `reason` is one of those in docs/failures.md."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        """`problem` is the body of the answer (RFC 9457)."""
        self.status = status
        self.reason = str(problem.get("reason", ""))
        self.retryable = bool(problem.get("retryable", not self.reason and status in _BALANCER_TROUBLE))
        self.problem = problem
        super().__init__(str(problem.get("detail") or f"The server answered {status}."))


class ApiUnreachableError(Exception):
    """The server did not answer, although it was asked several times."""


@dataclass(frozen=True, slots=True)
class RemoteClip:
    """A clip as the server described it."""

    id: str
    state: str
    title: str
    reason: str | None
    """Why it failed."""
    message: str | None
    """The same, for people."""
    url: str | None
    """Where its file is, once it is ready."""
    data: Mapping[str, Any]
    """Everything that the server said."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.state in FINAL_STATES

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> RemoteClip:
        """Read a clip from JSON."""
        failure, media = data.get("failure") or {}, data.get("media") or {}
        return cls(
            id=str(data["id"]),
            state=str(data["state"]),
            title=str(data.get("title", "")),
            reason=failure.get("reason"),
            message=failure.get("message"),
            url=media.get("clip"),
            data=data,
        )


@dataclass(frozen=True, slots=True)
class RemoteEvent:
    """An event of the stream."""

    position: int
    """Pass it as `after` to go on behind this event."""
    type: str
    clip: RemoteClip
    data: Mapping[str, Any]
    """The whole CloudEvent."""


@dataclass(slots=True)
class _PartialFile:
    """What has arrived of a file, and of which version of it."""

    path: Path
    etag: str = ""

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0


class Client:
    """A connection to a server. Use it as a context manager, or call `close`. Threads may share it.

    Requests that may be repeated safely are repeated, with growing pauses, while the server does not answer, is
    overloaded or restarts: reading, and requesting a clip, which has the same effect once and twice. Others are only
    repeated if they were not sent, because there was no connection. All methods raise
    `ApiError` if the server refuses a request, and `ApiUnreachableError` if it does not answer at all.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        key: str | None = None,
        timeout: float = 40.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`url` is the server's, without `/v1`; `key` an API key; `timeout` the seconds that one answer may take."""
        headers = {"User-Agent": "cutback-client", **({"Authorization": f"Bearer {key}"} if key else {})}
        self._http = httpx.Client(base_url=url.rstrip("/"), headers=headers, timeout=timeout, transport=transport)
        self._timeout = timeout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # --- clips -----------------------------------------------------------------------------------

    def submit(self, request: Mapping[str, Any], *, idempotency_key: str | None = None) -> RemoteClip:
        """Request a clip. The same request, or the same key, returns the same clip again."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return RemoteClip.of(self._ask("POST", "/v1/clips", json=request, headers=headers).json())

    def get(self, clip_id: str) -> RemoteClip:
        """Return a clip as it is now."""
        return RemoteClip.of(self._ask("GET", _clip(clip_id)).json())

    def wait(self, clip_id: str, *, timeout: float | None = None) -> RemoteClip:
        """Wait until a clip is finished, and return it, whatever became of it.

        Raises:
            TimeoutError: it is not finished after `timeout` seconds.
        """
        ends_at = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _WAIT_SECONDS if ends_at is None else ends_at - time.monotonic()
            seconds = max(0, min(_WAIT_SECONDS, round(left)))
            answer = self._ask(
                "GET", _clip(clip_id), params={"wait": seconds} if seconds else {}, timeout=self._timeout + seconds
            )
            clip = RemoteClip.of(answer.json())
            if clip.is_final:
                return clip
            if ends_at is not None and time.monotonic() >= ends_at:
                raise TimeoutError(f"The clip {clip_id} is still {clip.state}.")
            if not seconds:
                time.sleep(min(0.2, max(0.0, left)))

    def clips(self, **filters: Any) -> Iterator[RemoteClip]:
        """Yield clips, newest first. `filters` are the parameters of `GET /v1/clips`, such as `state="ready"`."""
        for item in self._items("/v1/clips", filters):
            yield RemoteClip.of(item)

    def cancel(self, clip_id: str) -> RemoteClip:
        """Cancel a clip that is not finished."""
        return RemoteClip.of(self._ask("POST", f"{_clip(clip_id)}/cancel", repeat=False).json())

    def retry(self, clip_id: str) -> RemoteClip:
        """Try a failed or cancelled clip again."""
        return RemoteClip.of(self._ask("POST", f"{_clip(clip_id)}/retry", repeat=False).json())

    def delete(self, clip_id: str) -> None:
        """Delete a clip."""
        self._ask("DELETE", _clip(clip_id), repeat=False)

    def share(self, clip_id: str, *, expires_in: int | None = None, download: bool = True) -> str:
        """Return a link to a finished clip for people without a key. `expires_in` is in seconds."""
        fields: dict[str, Any] = {"clip": clip_id, "download": download}
        if expires_in is not None:
            fields["expires_in"] = expires_in
        return str(self._ask("POST", "/v1/shares", json=fields, repeat=False).json()["url"])

    # --- events ----------------------------------------------------------------------------------

    def events(
        self,
        *,
        after: int | None = None,
        states: Iterable[str] = (),
        cameras: Iterable[str] = (),
        clips: Iterable[str] = (),
    ) -> Iterator[RemoteEvent]:
        """Yield events as they happen, for ever: each once and in order, across lost connections and restarts.

        They begin after the position `after`: 0 for all that ever happened, None for those from now on.
        """
        filters = {"state": list(states), "camera": list(cameras), "clip": list(clips)}
        last, pause, failures = after, 0.0, 0
        while True:
            try:
                for block in self._stream(filters, last):
                    failures = 0
                    pause = float(block.get("retry", 0)) / 1000
                    if "id" in block:
                        last = int(block["id"])
                    if "data" in block and last is not None:
                        event = json.loads(block["data"])
                        yield RemoteEvent(last, event["type"], RemoteClip.of(event["data"]), event)
            except ApiError as error:
                if not error.retryable:
                    raise
                failures += 1
            except _LOST:
                failures += 1
            time.sleep(pause or _pause(failures))

    def _stream(self, filters: Mapping[str, Any], last: int | None) -> Iterator[dict[str, str]]:
        headers = {"Accept": "text/event-stream", **({} if last is None else {"Last-Event-ID": str(last)})}
        timeout = httpx.Timeout(self._timeout, read=_SILENCE_SECONDS)
        with self._http.stream("GET", "/v1/events", params=filters, headers=headers, timeout=timeout) as answer:
            if answer.status_code != httpx.codes.OK:
                answer.read()
                raise _error(answer)
            yield from _blocks(answer.iter_lines())

    # --- files -----------------------------------------------------------------------------------

    def download(self, clip: RemoteClip, path: Path | str, *, overwrite: bool = False) -> Path:
        """Download a clip that is ready. A connection that breaks off is resumed where it stopped.

        Raises:
            FileExistsError: there is such a file, and `overwrite` is False.
            ValueError: the clip has no file.
            ApiError: the server refuses it, or is still unable to deliver it after several tries.
        """
        if clip.url is None:
            raise ValueError(f"The clip {clip.id} is {clip.state} and has no file.")
        target = Path(path)
        if target.exists() and not overwrite:
            raise FileExistsError(str(target))
        part = _PartialFile(target.with_name(f"{target.name}.part"))
        part.path.unlink(missing_ok=True)
        failures = 0
        while True:
            before, complete = part.size, False
            try:
                complete = self._fetch(clip.url, part)
            except (*_LOST, ApiError) as error:
                if isinstance(error, ApiError) and not error.retryable:
                    raise
                failures = 1 if part.size > before else failures + 1
                if failures >= _TRIES:
                    if isinstance(error, ApiError):
                        raise
                    raise ApiUnreachableError(f"{clip.url}: {type(error).__name__}") from error
                time.sleep(_pause(failures))
            if complete:
                part.path.replace(target)
                return target

    def _fetch(self, url: str, part: _PartialFile) -> bool:
        """Append to `part` what is missing. Returns whether it is complete."""
        start = part.size
        headers = {"Range": f"bytes={start}-", "If-Range": part.etag} if start and part.etag else {}
        with self._http.stream("GET", url, headers=headers, follow_redirects=True) as answer:
            if answer.is_error:
                answer.read()
                raise _error(answer)
            part.etag = answer.headers.get("etag", "")
            resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
            size = int(answer.headers.get("content-length", -1))
            written = 0
            with part.path.open("ab" if resumed else "wb") as file:
                for chunk in answer.iter_bytes():
                    file.write(chunk)
                    written += len(chunk)
            return size in {-1, written}

    def upload(self, path: Path | str, key: str, **fields: Any) -> Mapping[str, Any]:
        """Upload a recording, in parts, under a key. Returns the finished upload.

        `fields` are others of `POST /v1/uploads`: `content_type`, `camera`, `start`.
        """
        source = Path(path)
        announced = {"key": key, "size": source.stat().st_size, **fields}
        upload = self._ask("POST", "/v1/uploads", json=announced, repeat=False).json()
        address = f"/v1/uploads/{upload['id']}"
        try:
            with source.open("rb") as file:
                for number in range(1, upload["parts"] + 1):
                    signed = self._ask("POST", f"{address}/parts", json={"numbers": [number]}).json()["items"][0]
                    self._ask("PUT", signed["url"], content=file.read(signed["size"]))
            done: Mapping[str, Any] = self._ask("POST", f"{address}/complete").json()
        except BaseException:
            with suppress(ApiError, ApiUnreachableError):
                self._ask("DELETE", address, repeat=False)
            raise
        return done

    # --- requests --------------------------------------------------------------------------------

    def _items(self, path: str, filters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        cursor: str | None = None
        while True:
            page = self._ask("GET", path, params={**filters, **({"cursor": cursor} if cursor else {})}).json()
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def _ask(self, method: str, path: str, *, repeat: bool = True, **options: Any) -> httpx.Response:
        for failures in range(1, _TRIES + 1):
            try:
                answer = self._http.request(method, path, **options)
            except _LOST as error:
                if not (repeat or isinstance(error, _NOT_SENT)) or failures == _TRIES:
                    raise ApiUnreachableError(f"{method} {path}: {type(error).__name__}") from error
                time.sleep(_pause(failures))
                continue
            if not answer.is_error:
                return answer
            failure = _error(answer)
            if not repeat or not failure.retryable or failures == _TRIES:
                raise failure
            time.sleep(_told_pause(answer) or _pause(failures))
        raise AssertionError("the last try returns or raises")


def _clip(clip_id: str) -> str:
    return f"/v1/clips/{quote(clip_id, safe='')}"


def _error(answer: httpx.Response) -> ApiError:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    return ApiError(answer.status_code, problem if isinstance(problem, dict) else {})


def _told_pause(answer: httpx.Response) -> float:
    text = answer.headers.get("retry-after", "")
    return min(_LONGEST_PAUSE, float(text)) if text.isdigit() else 0.0


def _pause(failures: int) -> float:
    return min(_LONGEST_PAUSE, 0.2 * 2.0**failures) * random.uniform(0.5, 1)  # noqa: S311 - spreads the clients


def _blocks(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """Read server-sent events. A block without data counts as well: it may have a position or a pause."""
    block: dict[str, str] = {}
    for line in lines:
        if not line:
            if block:
                yield block
            block = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            block[name] = f"{block[name]}\n{value}" if name == "data" and "data" in block else value
