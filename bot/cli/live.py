"""A running call as lines on a terminal: who said what, what was understood, how long it took."""

from __future__ import annotations

from rich.text import Text

from bot.cli.attribution_words import attribution_words
from bot.core.answer import AnswerStatus
from bot.core.context import TurnSource
from bot.core.endings import Disposition
from bot.core.events import (
    Answered,
    AnswererClassified,
    AnswerRecorded,
    CallbackPromised,
    CallEnded,
    CallEvent,
    CallStarted,
    CaseOpened,
    DialogueFailed,
    HandoverAccepted,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverPassed,
    HandoverRinging,
    HoldEnded,
    Noted,
    OfferDecided,
    OptedOut,
    PromptStarted,
    ReplyMeasured,
    SignalRaised,
    SignalWithdrawn,
    TalkHeard,
    TurnHeard,
)
from bot.words import words

DISPOSITIONS: dict[Disposition, tuple[str, str]] = {
    Disposition.COMPLETED: ("пройден", "completed"),
    Disposition.PARTIAL: ("пройден не до конца", "partial"),
    Disposition.TRANSFERRED: ("передан сотруднику", "transferred"),
    Disposition.CALLBACK: ("обещан звонок", "call back"),
    Disposition.REFUSED: ("отказ", "refused"),
    Disposition.OPTED_OUT: ("просит не звонить", "opted out"),
    Disposition.WRONG_PERSON: ("не тот человек", "wrong person"),
    Disposition.NO_INPUT: ("молчание", "no input"),
    Disposition.HUNG_UP: ("положил трубку", "hung up"),
    Disposition.VOICEMAIL: ("автоответчик", "voicemail"),
    Disposition.SECRETARY: ("голосовой секретарь", "virtual secretary"),
    Disposition.IVR: ("голосовое меню", "voice menu"),
    Disposition.FAX: ("факс", "fax"),
    Disposition.UNAVAILABLE: ("недоступен", "unavailable"),
    Disposition.BUSY: ("занято", "busy"),
    Disposition.NO_ANSWER: ("нет ответа", "no answer"),
    Disposition.DECLINED: ("отклонён", "declined"),
    Disposition.INVALID_NUMBER: ("неверный номер", "invalid number"),
    Disposition.FAILED: ("сбой связи", "failed"),
    Disposition.INTERRUPTED: ("прерван", "interrupted"),
    Disposition.CANCELLED: ("отменён", "cancelled"),
}


def disposition_word(disposition: Disposition) -> str:
    return words(*DISPOSITIONS[disposition])


class LiveView:
    """Turns events into lines. It remembers only which name each call goes by."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def line(self, event: CallEvent) -> Text | None:
        """The line for an event, or None for one that a reader need not see."""
        if isinstance(event, CallStarted):
            self._names[event.call_id] = event.remote.partition(":")[2].partition("@")[0] or event.remote
        told = _told(event)
        if told is None:
            return None
        who, text, style = told
        name = self._names.get(event.call_id, event.call_id[-6:])
        return Text.assemble(
            (f"{event.at.astimezone():%H:%M:%S} ", "dim"),
            (f"{name:<12.12} ", "cyan"),
            (f"{who:<8} ", "bold" if who else ""),
            (text, style),
        )


def _told(event: CallEvent) -> tuple[str, str, str] | None:
    """Who, what, and in which style."""
    bot, caller = words("бот", "bot"), words("клиент", "caller")
    match event:
        case CallStarted(direction=direction, remote=remote):
            arrow = "→" if direction == "outbound" else "←"
            known = attribution_words(event)
            return "", f"{arrow} {remote} · {event.survey_id}" + (f" · {known}" if known else ""), "dim"
        case Answered(codec=codec):
            return "", words(f"ответил, {codec}", f"answered, {codec}"), "dim"
        case AnswererClassified(answerer=answerer) if answerer.is_machine:
            why = "; ".join(event.reasons)
            return (
                "",
                words(f"это не человек: {answerer} ({why})", f"no person: {answerer} ({why})"),
                "magenta",
            )
        case PromptStarted(text=text, purpose=purpose):
            return words("шёпот", "whisper") if purpose == "whisper" else bot, text, ""
        case TurnHeard():
            return caller, _heard(event), "yellow"
        case AnswerRecorded(question_id=question, answer=answer):
            value = answer.value if answer.status is AnswerStatus.ANSWERED else answer.status.value
            sure = f" ({answer.confidence:.2f})" if answer.status is AnswerStatus.ANSWERED else ""
            return "", f"= {question}: {value}{sure}", "bold green"
        case ReplyMeasured(gap_ms=gap):
            return "", words(f"  пауза до ответа бота {gap:.0f} мс", f"  reply gap {gap:.0f} ms"), "dim"
        case SignalRaised(name=name, topic=topic, words=said):
            about = (f", {topic.value}" if topic else "") + (f" «{said}»" if said else "")
            return "", words(f"! сигнал: {name}{about}", f"! signal: {name}{about}"), "red"
        case SignalWithdrawn(name=name):
            return "", words(f"  сигнал снят: {name}", f"  signal withdrawn: {name}"), "dim"
        case OfferDecided(accepted=accepted, offer=offer):
            word = words("согласен", "accepts") if accepted else words("не хочет", "declines")
            if offer == "callback":
                return "", words(f"перезвонить: {word}", f"a callback: {word}"), "magenta"
            return "", words(f"соединить с сотрудником: {word}", f"a human: {word}"), "magenta"
        case CaseOpened(reason=rule, words=said):
            about = rule + (f" «{said}»" if said else "")
            return "", words(f"! случай: {about}", f"! case: {about}"), "red"
        case Noted(rule=rule, words=said):
            about = rule + (f" «{said}»" if said else "")
            return "", words(f"  пометка: {about}", f"  note: {about}"), "dim"
        case _:
            return _ending(event)


def _ending(event: CallEvent) -> tuple[str, str, str] | None:
    match event:
        case HandoverRinging(target=target, agent_id=agent_id):
            target = agent_id or target
            return "", words(f"звоню сотруднику {target}", f"ringing agent {target}"), "magenta"
        case HandoverAccepted(agent_id=agent_id, by=by):
            return "", words(f"{agent_id} принимает ({by})", f"{agent_id} accepts ({by})"), "magenta"
        case HandoverPassed(agent_id=agent_id, reason=reason):
            return "", words(f"{agent_id} не берёт: {reason}", f"{agent_id} passed: {reason}"), "magenta"
        case TalkHeard(side=side, text=text):
            who = words("клиент", "caller") if side == "caller" else words("сотр-к", "agent")
            return who, f"«{text}»", "yellow"
        case CaseOpened(reason=reason, owner_id=owner):
            return "", words(f"обращение: {reason}, {owner or '?'}", f"case: {reason}, {owner or '?'}"), "red"
        case HandoverConnected(target=target):
            return "", words(f"соединён с {target}", f"joined with {target}"), "bold magenta"
        case HoldEnded(held_s=held_s):
            return "", words(f"на удержании {held_s:.1f} с", f"on hold {held_s:.1f} s"), "magenta"
        case HandoverFailed(reason=reason):
            return "", words(f"перевод не удался: {reason}", f"handover failed: {reason}"), "red"
        case HandoverEnded(talk_s=talk_s):
            return "", words(f"разговор с сотрудником {talk_s:.1f} с", f"talk {talk_s:.1f} s"), "magenta"
        case CallbackPromised():
            return "", words("обещан звонок", "a call back is promised"), "magenta"
        case OptedOut():
            return "", words("больше не звонить", "never ring again"), "bold red"
        case DialogueFailed(reason=reason):
            return "", words(f"сбой: {reason}", f"fault: {reason}"), "bold red"
        case CallEnded(disposition=disposition, duration_s=duration_s):
            word = disposition_word(disposition)
            return "", words(f"■ {word}, {duration_s:.1f} с", f"■ {word}, {duration_s:.1f} s"), "bold"
        case _:
            return None


def _heard(turn: TurnHeard) -> str:
    if turn.source is TurnSource.DTMF:
        return words(f"клавиши {turn.digits}", f"keys {turn.digits}")
    if turn.source is TurnSource.SILENCE:
        return words("(молчит)", "(silence)")
    share = f" · {words('неизвестных слов', 'unknown words')} {turn.unknown_share:.0%}"
    return f"«{turn.text}»" + (share if turn.unknown_share else "")
