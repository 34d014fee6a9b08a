"""A call's triage as an account: what fired on which words, what was offered, decided, and came of it.

Pure: from the call's events, and its survey where that is still at hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from rich.text import Text

from bot.core.events import (
    CallbackPromised,
    CallEvent,
    CaseOpened,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverPassed,
    HandoverRinging,
    HandoverStarted,
    Noted,
    OfferDecided,
    OfferMade,
    PromptStarted,
    SignalRaised,
    SignalWithdrawn,
    TurnHeard,
)
from bot.core.intents import Topic
from bot.surveys.conditions import ANGRY, MISUNDERSTOOD, written
from bot.surveys.schema import Survey
from bot.words import words


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `what` is the event's kind, `rule` the rule it rests on (of the survey, a dictionary's
    list, the NLU or timing), `why` that rule in words, and `said` the words it rests on."""

    at: datetime
    what: str
    rule: str = ""
    why: str = ""
    topic: Topic | None = None
    said: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        told = asdict(self)
        facts = {key: _plain(value) for key, value in told.pop("facts").items()}
        return {**told, "at": self.at.isoformat(), "topic": self.topic.value if self.topic else None, **facts}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def account(events: Iterable[CallEvent], survey: Survey | None) -> list[Entry]:
    """In the order of the call. Of a survey that is gone the rules are named without their conditions."""
    told: list[Entry] = []
    heard = ""
    for event in events:
        match event:
            case TurnHeard():
                heard = event.text or event.digits
            case PromptStarted(purpose="offer", text=text):
                last = next((place for place, each in enumerate(told) if _awaits_words(each)), None)
                if last is not None:
                    told[last] = _with(told[last], text=text)
            case SignalRaised(rule=rule, topic=topic):
                said = event.words or heard
                told.append(_entry(event, survey, rule, topic, said, signal=event.name))
            case SignalWithdrawn(rule=rule, topic=topic):
                told.append(_entry(event, survey, rule, topic, heard, signal=event.name))
            case OfferMade(rule=rule, topic=topic):
                told.append(_entry(event, survey, rule, topic, "", offer=event.offer, text=""))
            case OfferDecided():
                told.append(
                    _entry(event, survey, "", None, heard, offer=event.offer, accepted=event.accepted)
                )
            case CaseOpened(reason=rule, topic=topic):
                facts = {"callback": event.callback, "owner_id": event.owner_id, "due_at": event.due_at}
                told.append(_entry(event, survey, rule, topic, event.words, **facts))
            case Noted(rule=rule, topic=topic):
                told.append(_entry(event, survey, rule, topic, event.words))
            case CallbackPromised(reason=rule):
                facts = {"by": event.by, "owner_id": event.owner_id, "due_at": event.due_at}
                told.append(_entry(event, survey, rule, None, event.when, **facts))
            case HandoverStarted(reason=rule):
                told.append(_entry(event, survey, rule, None, "", target=event.target))
            case HandoverRinging() | HandoverConnected():
                told.append(_entry(event, survey, "", None, "", agent=event.agent_id or event.target))
            case HandoverPassed():
                told.append(_entry(event, survey, "", None, "", agent=event.agent_id, reason=event.reason))
            case HandoverFailed():
                told.append(_entry(event, survey, "", None, "", reason=event.reason))
            case HandoverEnded():
                told.append(_entry(event, survey, "", None, "", talk_s=event.talk_s))
    return told


def _entry(
    event: CallEvent, survey: Survey | None, rule: str, topic: Topic | None, said: str, **facts: Any
) -> Entry:
    return Entry(event.at, event.kind, rule, reason_of(rule, survey), topic, said, facts)


def _awaits_words(entry: Entry) -> bool:
    """An offer of which it is not known yet how it was put."""
    return entry.what == "offer_made" and not entry.facts["text"]


def _with(entry: Entry, **facts: Any) -> Entry:
    return Entry(
        entry.at, entry.what, entry.rule, entry.why, entry.topic, entry.said, {**entry.facts, **facts}
    )


def reason_of(rule: str, survey: Survey | None) -> str:
    """What stands behind a rule's id, for people; "" where nothing more is known of it."""
    if rule.startswith("intent:"):
        return words("так понята фраза", "so the sentence was understood")
    known = {
        f"{MISUNDERSTOOD}:turns": words("не понят раз за разом", "not understood again and again"),
        f"{MISUNDERSTOOD}:question": words("вопрос остался непонятым", "a question ended without an answer"),
        f"{ANGRY}:again": words("та же жалоба второй раз", "the same complaint twice"),
        f"{ANGRY}:interruptions": words("перебивает и не отвечает", "breaks in without answering"),
    }
    if rule in known:
        return known[rule]
    if survey is None or not rule:
        return ""
    for each in survey.triage:
        if each.id == rule:
            return written(each.when)
    dictionary, _, name = rule.partition(".")
    for one in survey.dictionaries:
        if one.id == dictionary and any(each.id == name for each in one.lists):
            return words(f"список {name} словаря {dictionary}", f"list {name} of {dictionary}")
    return ""


# For people ----------------------------------------------------------------------------------


def line_of(entry: Entry) -> Text:
    """One line of the account, in the language of the terminal."""
    head, style = _head(entry)
    line = Text.assemble((f"{entry.at.astimezone():%H:%M:%S}  ", "dim"), (head, style))
    if entry.rule and entry.what not in ("signal_raised", "signal_withdrawn"):
        line.append(words(f" · правило {entry.rule}", f" · rule {entry.rule}"))
    elif entry.rule:
        line.append(f" · {entry.rule}")
    if entry.why:
        line.append(f" ({entry.why})", style="dim")
    if entry.topic is not None:
        line.append(words(f" · тема {entry.topic.value}", f" · topic {entry.topic.value}"))
    if entry.said:
        line.append(f" — «{entry.said}»", style="yellow")
    return line


def _head(entry: Entry) -> tuple[str, str]:
    facts = entry.facts
    match entry.what:
        case "signal_raised":
            return words(f"сигнал {facts['signal']}", f"signal {facts['signal']}"), "red"
        case "signal_withdrawn":
            told = words("сигнал снят, ответ исправлен: ", "signal withdrawn, corrected: ")
            return told + str(facts["signal"]), "dim"
        case "offer_made":
            what = _offer(facts["offer"])
            text = f": «{facts['text']}»" if facts["text"] else ""
            return words(f"предложено {what}{text}", f"offered {what}{text}"), "magenta"
        case "offer_decided":
            agreed = words("согласен", "accepts") if facts["accepted"] else words("отказался", "declines")
            return words(f"{_offer(facts['offer'])}: {agreed}", f"{_offer(facts['offer'])}: {agreed}"), "bold"
        case "case_opened":
            return words("заведён случай", "a case is opened") + _whose(facts), "red"
        case "noted":
            return words("пометка", "noted"), "cyan"
        case "callback_promised":
            who = words("сотрудник", "an agent") if facts["by"] == "agent" else words("бот", "the bot")
            return words(f"обещано: перезвонит {who}", f"promised: {who} rings back") + _whose(
                facts
            ), "magenta"
        case _:
            return _of_handover(entry.what, facts)


def _of_handover(what: str, facts: Mapping[str, Any]) -> tuple[str, str]:
    match what:
        case "handover_started":
            return words(f"перевод: {facts['target']}", f"handover: {facts['target']}"), "magenta"
        case "handover_ringing":
            return words(f"звонок сотруднику {facts['agent']}", f"ringing {facts['agent']}"), ""
        case "handover_connected":
            return words(f"соединён с {facts['agent']}", f"joined with {facts['agent']}"), "bold green"
        case "handover_passed":
            told = f"{facts['agent']} ({facts['reason']})"
            return words(f"не взял: {told}", f"did not take it: {told}"), ""
        case "handover_failed":
            return words(f"не соединён: {facts['reason']}", f"not joined: {facts['reason']}"), "red"
        case _:
            talk_s = facts["talk_s"]
            return words(f"разговор с сотрудником {talk_s:.0f} с", f"talk {talk_s:.0f} s"), ""


def _offer(offer: str) -> str:
    if offer == "callback":
        return words("перезвонить", "a callback")
    return words("соединить с сотрудником", "a person")


def _whose(facts: Mapping[str, Any]) -> str:
    owner, due = facts["owner_id"], facts["due_at"]
    told = f", {owner}" if owner else ""
    if due is not None:
        when = f"{due.astimezone():%d.%m %H:%M}"
        told += words(f", не позже {when}", f", by {when}")
    return told
