"""Which text of a clip a search looks at. The adapters store it beside the clip."""

from __future__ import annotations

from cutback.domain.clips.clip import Clip


def searched_text(clip: Clip) -> str:
    """Return the clip's id, title, tags, labels, cameras and recordings, in the form that `search_words` has, too."""
    labels = (text for pair in clip.labels.items() for text in pair)
    sources = [each.recording for each in clip.request.ranges] + [each.camera for each in clip.request.spans]
    sources += clip.request.assets
    return "\n".join([clip.shown_id, clip.title, *clip.tags, *labels, *sources]).casefold()


def search_words(text: str) -> list[str]:
    """Return the words of a search. A clip matches if its text contains all of them."""
    return text.casefold().split()
