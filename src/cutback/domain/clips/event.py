"""Events: what happens to clips, as CloudEvents 1.0."""

from __future__ import annotations

from typing import Any, Literal

from cutback.domain.base import Model, Moment

CHANGED = "clip.changed"
"""The type of events that tell of something else than a new state."""


class Event(Model):
    """A CloudEvents 1.0 event in its JSON form (https://github.com/cloudevents/spec, v1.0.2).

    The id is the clip's id and its revision: an event that is announced twice keeps its id.
    """

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = "/cutback"
    type: str
    """`clip.<state>`, such as `clip.ready`; `CHANGED` if the state stays."""
    subject: str
    """The clip's id."""
    time: Moment
    datacontenttype: Literal["application/json"] = "application/json"
    data: dict[str, Any]

    def body(self) -> dict[str, Any]:
        """The JSON object that is sent."""
        return self.model_dump(mode="json")


class Answer(Event):
    """An event in another form, for consumers of the older message format; only `content` is sent."""

    content: dict[str, Any]

    def body(self) -> dict[str, Any]:
        """The JSON object that is sent."""
        return self.content
