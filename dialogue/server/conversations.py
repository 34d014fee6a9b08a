"""Rasa's memory of the calls: bounded, because calls come without end and nobody tells it of theirs.

Runs in Rasa's environment (Python 3.10).
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.trackers import DialogueStateTracker

KEPT = 1000
"""Conversations kept, some ten times the calls that a node holds at once."""

BULKY = "conversation"
"""The slot in which the survey's state rests: kilobytes, and new with each turn."""

_READ = ("text", "intent", "entities")
"""What Rasa's policies read of how an earlier message was understood."""


class Conversations(InMemoryTrackerStore):
    """The stock store, without all but the last `KEPT` conversations that had a turn.

    It keeps each as text that it reads again at every turn. Keeping the object would be quicker, but
    then a turn that breaks off half-way would leave its traces. Of earlier turns it keeps what the rules
    look at: with everything else, each turn would take longer than the one before it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("host", None)  # Rasa hands the endpoint's URL down as a host
        super().__init__(*args, **kwargs)
        self.store: OrderedDict[str, str] = OrderedDict()

    async def save(self, tracker: DialogueStateTracker) -> None:
        await self.stream_events(tracker)
        kept = tracker.as_dialogue().as_dict()
        self.store[tracker.sender_id] = json.dumps({**kept, "events": list(slim(kept["events"]))})
        self.store.move_to_end(tracker.sender_id)
        while len(self.store) > KEPT:
            self.store.popitem(last=False)


def present(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events of the present turn: from the caller's last message on."""
    begins = max((at for at, event in enumerate(events) if event["event"] == "user"), default=0)
    return events[begins:]


def slim(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The same conversation without what nobody reads again: what the bot said in earlier turns, earlier
    states of the survey, and all that the NLU thought of earlier messages beside what they mean."""
    now = present(events)
    before = events[: len(events) - len(now)]
    yield from _slim(before, keep_state=not any(map(_is_state, now)))
    yield from now


def _slim(before: list[dict[str, Any]], *, keep_state: bool) -> Iterable[dict[str, Any]]:
    last = max((at for at, event in enumerate(before) if _is_state(event)), default=-1)
    for at, event in enumerate(before):
        if event["event"] == "bot" or (_is_state(event) and not (keep_state and at == last)):
            continue
        if event["event"] == "user":
            read = {name: value for name, value in event["parse_data"].items() if name in _READ}
            event = {**event, "parse_data": read}
        yield {name: value for name, value in event.items() if name != "metadata"}


def _is_state(event: Mapping[str, Any]) -> bool:
    return bool(event["event"] == "slot" and event["name"] == BULKY)
