"""What a call leaves to be done: signals, offers, cases, promises and refusals."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from bot.core.events.event import Event
from bot.core.intents import Topic


class SignalRaised(Event):
    kind: Literal["signal_raised"] = "signal_raised"
    name: str
    rule: str
    topic: Topic | None = None
    words: str = ""


class SignalWithdrawn(Event):
    """What raised this signal was corrected: it is history, and stands no longer."""

    kind: Literal["signal_withdrawn"] = "signal_withdrawn"
    name: str
    rule: str
    topic: Topic | None = None


class OfferMade(Event):
    """`rule` is the triage rule that made it; "" in calls from before it was written down."""

    kind: Literal["offer_made"] = "offer_made"
    offer: Literal["human", "callback"]
    topic: Topic | None = None
    rule: str = ""


class OfferDecided(Event):
    kind: Literal["offer_decided"] = "offer_decided"
    offer: Literal["human", "callback"]
    accepted: bool


class CaseOpened(Event):
    """An unhappy customer's matter that somebody has to see to: `owner_id` ("" where nobody could be
    named yet) by `due_at`. `reason` is the triage rule or the handover's failure; `words` are the
    caller's own that gave rise to it."""

    kind: Literal["case_opened"] = "case_opened"
    reason: str
    topic: Topic | None = None
    owner_id: str = ""
    department: str = ""
    due_at: datetime | None = None
    callback: bool = False
    words: str = ""


class Noted(Event):
    """A triage rule that only notes: `rule` fired on `words`."""

    kind: Literal["noted"] = "noted"
    rule: str
    topic: Topic | None = None
    words: str = ""


class CallbackPromised(Event):
    """`when` is the caller's own words about the time; `by` who will ring."""

    kind: Literal["callback_promised"] = "callback_promised"
    when: str
    by: Literal["bot", "agent"]
    reason: str = ""
    owner_id: str = ""
    due_at: datetime | None = None


class OptedOut(Event):
    kind: Literal["opted_out"] = "opted_out"
    words: str = ""
