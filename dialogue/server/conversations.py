"""Rasa's memory of the calls: bounded, because calls come without end and nobody tells it of theirs.

Runs in Rasa's environment (Python 3.10).
"""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import Any

from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.trackers import DialogueStateTracker

KEPT = 1000
"""Conversations kept, some ten times the calls that a node holds at once."""

_READ = ("text", "intent", "entities")
"""What Rasa's policies read of how an earlier message was understood."""

_PASSING = frozenset(("user", "user_featurization", "action", "slot", "bot", "loop_interrupted"))
"""Events that leave nothing when their turn is over but the slots' values. That a form begins, ends or
refuses to run does."""

FIRST = 1
"""Among the turns the first: it comes after what happens before anybody has spoken."""

Happened = dict[str, Any]
"""An event, as Rasa writes it down."""


class Conversations(InMemoryTrackerStore):
    """The stock store, without all but the last `KEPT` conversations that had a turn.

    It keeps each as text that it reads again at every turn. Keeping the object would be quicker, but
    then a turn that breaks off half-way would leave its traces. Of earlier turns it keeps what the rules
    look at: Rasa goes through all events a dozen times in a turn, so that with everything else each turn
    would take longer than the one before it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("host", None)  # Rasa hands the endpoint's URL down as a host
        super().__init__(*args, **kwargs)
        self.store: OrderedDict[str, str] = OrderedDict()

    async def save(self, tracker: DialogueStateTracker) -> None:
        await self.stream_events(tracker)
        kept = tracker.as_dialogue().as_dict()
        self.store[tracker.sender_id] = json.dumps({**kept, "events": slim(kept["events"])})
        self.store.move_to_end(tracker.sender_id)
        while len(self.store) > KEPT:
            self.store.popitem(last=False)

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """A call is one session (`session_config`), so that there is none to be looked for in it, for which
        the stock store takes a conversation in twice."""
        return await self.retrieve_full_tracker(sender_id)


def present(events: list[Happened]) -> list[Happened]:
    """The events of the present turn: from the caller's last message on."""
    return _turns(events)[-1]


def slim(events: list[Happened]) -> list[Happened]:
    """The same conversation, in which every rule decides as before, without what nobody reads again.

    A rule looks back no further than its turn, and the form to where it began. So the first turn and the
    present one stay, and those in which something lasting happened; of all others no more than what the
    slots were last set to. What the bot said in earlier turns goes, and all that the NLU thought of earlier
    messages beside what they mean.
    """
    *before, now = _turns(events)
    set_last = {event["name"]: event for event in events if event["event"] == "slot"}
    lasting = []
    for at, turn in enumerate(before):
        kept = at <= FIRST or not all(event["event"] in _PASSING for event in turn)
        for event in turn:
            if event["event"] == "slot":
                if event is set_last[event["name"]]:
                    lasting.append(_light(event))
            elif kept and event["event"] != "bot":
                lasting.append(_light(event))
    return lasting + now


def _turns(events: list[Happened]) -> list[list[Happened]]:
    """What came before the caller's first message, and then each message with what follows it."""
    begins = [at for at, event in enumerate(events) if event["event"] == "user"]
    return [events[at:end] for at, end in zip([0, *begins], [*begins, len(events)], strict=True)]


def _light(event: Happened) -> Happened:
    if event["event"] == "user":
        read = {name: value for name, value in event["parse_data"].items() if name in _READ}
        event = {**event, "parse_data": read}
    return {name: value for name, value in event.items() if name != "metadata"}
