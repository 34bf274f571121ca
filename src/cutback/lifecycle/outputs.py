"""Stores the outputs of a clip."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from cutback.cutting.job import RenderedFile, RenderedOutput, Rendition
from cutback.domain.clips.clip import OutputResult
from cutback.domain.requests.outputs.model import OutputModel
from cutback.domain.requests.request import ClipRequest
from cutback.lifecycle.copied_parts import CopySource, SentPart, plan_parts
from cutback.lifecycle.lease import Lease
from cutback.sandbox.finished_clip import FinishedClip
from cutback.storage.multipart import CopiedRange, Part
from cutback.storage.object_info import StoredObject
from cutback.storage.store import Store


def store_outputs(
    clips: Store,
    folder: str,
    rendition: Rendition,
    request: ClipRequest,
    lease: Lease,
    *,
    copied: CopySource | None = None,
) -> tuple[OutputResult, ...]:
    """Store all files of a clip's outputs under `folder`, which belongs to one attempt only.

    With `copied`, the store copies large runs of recordings itself.

    Raises:
        ObjectExistsError: an object is already there.
        StorageUnavailableError: the store does not answer.
        CutbackError: a source cannot be read any more.
        StoppedError: the work was stopped.
    """
    models = request.wanted_outputs

    def store(file: RenderedFile) -> StoredObject:
        if copied is not None and isinstance(rendition, FinishedClip):
            parts = plan_parts(rendition.extents(file), copied)
            made = parts and clips.assemble(folder + file.name, _parts(rendition, parts, lease), size=file.size)
            if made:
                return made
        return clips.put(folder + file.name, _watched(rendition.chunks(file), lease), size=file.size, if_absent=True)

    return tuple(_store(folder, each, models[each.name], store) for each in rendition.outputs)


def _store(
    folder: str, output: RenderedOutput, model: OutputModel, store: Callable[[RenderedFile], StoredObject]
) -> OutputResult:
    stored = [store(file) for file in output.files]
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


def _parts(rendition: FinishedClip, parts: Sequence[SentPart | CopiedRange], lease: Lease) -> Iterator[Part]:
    for part in parts:
        lease.raise_if_stopped()
        yield part if isinstance(part, CopiedRange) else b"".join(rendition.bytes_of(part.extents))


def _watched(chunks: Iterator[bytes], lease: Lease) -> Iterator[bytes]:
    for chunk in chunks:
        lease.raise_if_stopped()
        yield chunk
