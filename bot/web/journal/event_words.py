"""What people call the events of a call, in Russian and in English."""

from __future__ import annotations

from bot.core.answer import AnswerStatus
from bot.core.events import (
    Answered,
    AnswererClassified,
    AnswerRecorded,
    CallbackPromised,
    CallEnded,
    CallEvent,
    CaseOpened,
    DialogueFailed,
    HandoverAccepted,
    HandoverConnected,
    HandoverEnded,
    HandoverFailed,
    HandoverPassed,
    HandoverRinging,
    HandoverStarted,
    Noted,
    OfferDecided,
    OptedOut,
    RecordingRefused,
    RecordingStarted,
    RecordingStopped,
    SignalRaised,
    SignalWithdrawn,
)
from bot.reports.wording import end_pair, signal_pair, topic_pair

Pair = tuple[str, str]

_KINDS: dict[str, Pair] = {
    "call_started": ("звонок начат", "call started"),
    "ringing": ("гудки", "ringing"),
    "answered": ("снята трубка", "answered"),
    "answerer_classified": ("кто ответил", "who answered"),
    "consent_heard": ("предупреждён о записи", "told of the recording"),
    "recording_started": ("запись начата", "recording started"),
    "recording_stopped": ("запись остановлена", "recording stopped"),
    "recording_refused": ("от записи отказался", "recording refused"),
    "prompt_started": ("фраза бота", "prompt"),
    "prompt_paused": ("фраза приостановлена", "prompt paused"),
    "prompt_resumed": ("фраза продолжена", "prompt resumed"),
    "prompt_ended": ("фраза кончилась", "prompt ended"),
    "listening_started": ("бот слушает", "listening"),
    "turn_heard": ("реплика клиента", "turn heard"),
    "turn_understood": ("реплика понята", "turn understood"),
    "answer_recorded": ("ответ записан", "answer recorded"),
    "reply_measured": ("пауза до ответа", "reply gap"),
    "dialogue_failed": ("сбой диалога", "dialogue failed"),
    "signal_raised": ("сигнал", "signal"),
    "signal_withdrawn": ("сигнал снят", "signal withdrawn"),
    "offer_made": ("предложение", "offer"),
    "offer_decided": ("ответ на предложение", "offer decided"),
    "case_opened": ("открыто обращение", "case opened"),
    "noted": ("пометка", "noted"),
    "callback_promised": ("обещан звонок", "callback promised"),
    "opted_out": ("просит не звонить", "opted out"),
    "handover_started": ("ищем сотрудника", "handover started"),
    "handover_routed": ("кому звоним", "routed"),
    "handover_ringing": ("звоним сотруднику", "agent's phone rings"),
    "handover_accepted": ("сотрудник согласен", "accepted"),
    "handover_passed": ("сотрудник не берёт", "passed over"),
    "handover_connected": ("соединены", "connected"),
    "handover_failed": ("перевод не удался", "handover failed"),
    "hold_started": ("клиент на удержании", "on hold"),
    "hold_ended": ("снят с удержания", "off hold"),
    "handover_ended": ("разговор с сотрудником окончен", "handover ended"),
    "talk_heard": ("реплика в разговоре", "talk heard"),
    "call_ended": ("звонок окончен", "call ended"),
}


def kind_words(event: CallEvent) -> Pair:
    return _KINDS.get(event.kind, (event.kind, event.kind))


def event_words(event: CallEvent) -> Pair | None:
    """A line of the call's course; None for what is no news to a reader of the talk."""
    match event:
        case AnswerRecorded():
            return _answer(event)
        case SignalRaised(name=name, topic=topic) | SignalWithdrawn(name=name, topic=topic):
            return _joined(kind_words(event), signal_pair(name), topic_pair(topic) if topic else None)
        case CaseOpened(topic=topic) | Noted(topic=topic):
            return _joined(kind_words(event), topic_pair(topic) if topic else None)
        case OfferDecided(offer=offer, accepted=accepted):
            what = (
                ("соединить с сотрудником", "a human") if offer == "human" else ("перезвонить", "a callback")
            )
            return _joined(what, ("согласен", "accepted") if accepted else ("не хочет", "declined"))
        case AnswererClassified(answerer=answerer) if answerer.is_machine:
            return _joined(kind_words(event), (answerer.value, answerer.value))
        case HandoverRinging(agent_id=agent, target=target):
            return _joined(kind_words(event), (agent or target,) * 2)
        case HandoverAccepted(agent_id=agent) | HandoverConnected(agent_id=agent):
            return _joined(kind_words(event), (agent, agent) if agent else None)
        case HandoverPassed(agent_id=agent, reason=reason):
            return _joined(kind_words(event), (f"{agent}, {reason}",) * 2)
        case HandoverFailed(reason=reason) | DialogueFailed(reason=reason):
            return _joined(kind_words(event), (reason, reason))
        case HandoverEnded(talk_s=talk_s):
            return _joined(kind_words(event), (f"{talk_s:.0f} с", f"{talk_s:.0f} s"))
        case CallEnded(disposition=end):
            return _joined(kind_words(event), end_pair(end))
        case (
            Answered()
            | RecordingStarted()
            | RecordingStopped()
            | RecordingRefused()
            | HandoverStarted()
            | CallbackPromised()
            | OptedOut()
        ):
            return kind_words(event)
        case _:
            return None


def _answer(event: AnswerRecorded) -> Pair:
    answer = event.answer
    if answer.status is not AnswerStatus.ANSWERED:
        return _joined((event.question_id,) * 2, status_words(answer.status))
    value = ", ".join(answer.value) if isinstance(answer.value, list) else str(answer.value)
    return _joined((event.question_id,) * 2, (value, value))


def _joined(*parts: Pair | None) -> Pair:
    """«ответ: 9»: the first part, and the others after a colon."""
    (ru, en), *others = [part for part in parts if part is not None]
    if not others:
        return ru, en
    return f"{ru}: {', '.join(each for each, _ in others)}", f"{en}: {', '.join(each for _, each in others)}"


_STATUSES: dict[str, Pair] = {
    AnswerStatus.ANSWERED: ("есть ответ", "answered"),
    AnswerStatus.DONT_KNOW: ("не знает", "does not know"),
    AnswerStatus.REFUSED: ("отказался отвечать", "refused"),
    AnswerStatus.NO_ANSWER: ("нет ответа", "no answer"),
}


def status_words(status: str) -> Pair:
    return _STATUSES.get(status, (status, status))
