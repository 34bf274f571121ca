"""Stores the outputs of a clip."""

from __future__ import annotations

from collections.abc import Iterator

from cutback.cutting.job import RenderedOutput, Rendition
from cutback.domain.clips.clip import OutputResult
from cutback.domain.requests.outputs.model import OutputModel
from cutback.domain.requests.request import ClipRequest
from cutback.lifecycle.lease import Lease
from cutback.storage.store import Store


def store_outputs(
    clips: Store, folder: str, rendition: Rendition, request: ClipRequest, lease: Lease
) -> tuple[OutputResult, ...]:
    """Store all files of a clip's outputs under `folder`, which belongs to one attempt only.

    Raises:
        ObjectExistsError: an object is already there.
        StorageUnavailableError: the store does not answer.
        CutbackError: a source cannot be read any more.
        StoppedError: the work was stopped.
    """
    models = request.wanted_outputs
    return tuple(_store(clips, folder, rendition, each, models[each.name], lease) for each in rendition.outputs)


def _store(
    clips: Store, folder: str, rendition: Rendition, output: RenderedOutput, model: OutputModel, lease: Lease
) -> OutputResult:
    stored = [
        clips.put(folder + file.name, _watched(rendition.chunks(file), lease), size=file.size, if_absent=True)
        for file in output.files
    ]
    keys = [folder + file.name for file in output.files]
    facts = output.facts
    return OutputResult(
        name=output.name,
        format=model.format,
        key=keys[0],
        files=tuple(keys[1:]),
        size=facts.size,
        etag=stored[0].etag,
        duration=facts.duration,
        width=facts.width,
        height=facts.height,
        frames=facts.frames,
        frames_copied=facts.frames_copied,
        frames_encoded=facts.frames_encoded,
        quality=facts.quality,
        notes=facts.notes,
    )


def _watched(chunks: Iterator[bytes], lease: Lease) -> Iterator[bytes]:
    for chunk in chunks:
        lease.raise_if_stopped()
        yield chunk
