"""Rasa's memory of the calls: bounded, because calls come without end and nobody tells it of theirs.

Runs in Rasa's environment (Python 3.10).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.trackers import DialogueStateTracker

KEPT = 1000
"""Conversations kept, some ten times the calls that a node holds at once."""


class Conversations(InMemoryTrackerStore):
    """The stock store, without all but the last `KEPT` conversations that had a turn.

    It keeps each as text that it reads again at every turn. Keeping the object would be quicker, but
    then a turn that breaks off half-way would leave its traces.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("host", None)  # Rasa hands the endpoint's URL down as a host
        super().__init__(*args, **kwargs)
        self.store: OrderedDict[str, str] = OrderedDict()

    async def save(self, tracker: DialogueStateTracker) -> None:
        await super().save(tracker)
        self.store.move_to_end(tracker.sender_id)
        while len(self.store) > KEPT:
            self.store.popitem(last=False)
