"""What people call the things that reports count."""

from __future__ import annotations

from bot.core.endings import Disposition
from bot.reports.measures import Scale
from bot.reports.slices import By
from bot.words import words

_TOPICS = {
    "waiting": ("долгое ожидание", "waiting"),
    "rudeness": ("грубость", "rudeness"),
    "unresolved": ("вопрос не решён", "unresolved"),
    "incompetence": ("некомпетентность", "incompetence"),
    "billing": ("деньги и счета", "billing"),
    "quality": ("качество", "quality"),
    "other": ("другое", "other"),
}
_SIGNALS = {
    "complaint": ("жалоба", "complaint"),
    "request_agent": ("просит человека", "wants a person"),
    "angry": ("раздражён", "angry"),
    "misunderstood": ("бот не понимал", "misunderstood"),
    "repeated_contact": ("обращается не впервые", "repeated contact"),
    "low_score": ("низкая оценка", "low score"),
    "unresolved": ("вопрос не решён", "unresolved"),
}
_STEPS = {
    "dialled": ("набрано и принято", "dialled or came in"),
    "answered": ("ответил человек", "answered by a human"),
    "began": ("задан первый вопрос", "first question put"),
    "completed": ("опрос пройден", "completed"),
    "handed_over": ("соединены с сотрудником", "handed over"),
}
_BY = {
    By.EMPLOYEE: ("сотрудник", "employee"),
    By.DEPARTMENT: ("отдел", "department"),
    By.SURVEY: ("опрос", "survey"),
    By.CAMPAIGN: ("кампания", "campaign"),
    By.TOPIC: ("тема", "topic"),
    By.RULE: ("правило или список слов", "rule or word list"),
    By.DAY: ("день", "day"),
    By.WEEK: ("неделя с", "week of"),
    By.MONTH: ("месяц", "month"),
    By.QUARTER: ("квартал с", "quarter from"),
    By.YEAR: ("год", "year"),
}
_ENDS = {
    Disposition.COMPLETED: ("пройден", "completed"),
    Disposition.PARTIAL: ("пройден частично", "partial"),
    Disposition.TRANSFERRED: ("передан сотруднику", "transferred"),
    Disposition.CALLBACK: ("обещано перезвонить", "callback"),
    Disposition.REFUSED: ("отказ", "refused"),
    Disposition.OPTED_OUT: ("просил не звонить", "opted out"),
    Disposition.WRONG_PERSON: ("не тот человек", "wrong person"),
    Disposition.NO_INPUT: ("молчание", "no input"),
    Disposition.HUNG_UP: ("положил трубку", "hung up"),
    Disposition.VOICEMAIL: ("автоответчик", "voicemail"),
    Disposition.SECRETARY: ("голосовой секретарь", "secretary"),
    Disposition.IVR: ("голосовое меню", "menu"),
    Disposition.FAX: ("факс", "fax"),
    Disposition.UNAVAILABLE: ("недоступен", "unavailable"),
    Disposition.BUSY: ("занято", "busy"),
    Disposition.NO_ANSWER: ("не ответили", "no answer"),
    Disposition.DECLINED: ("сбросили", "declined"),
    Disposition.INVALID_NUMBER: ("номера нет", "no such number"),
    Disposition.FAILED: ("подвела сеть", "failed"),
    Disposition.INTERRUPTED: ("подвёл узел", "interrupted"),
    Disposition.CANCELLED: ("отменён", "cancelled"),
}


def end_pair(end: str | None) -> tuple[str, str]:
    """None is a call that is not over."""
    return _ENDS[Disposition(end)] if end else ("идёт", "going on")


def topic_name(topic: str) -> str:
    return words(*_TOPICS[topic]) if topic in _TOPICS else topic


def signal_name(signal: str) -> str:
    """A survey's own rules are called as their author called them."""
    return words(*_SIGNALS[signal]) if signal in _SIGNALS else signal


def step_name(step: str) -> str:
    return words(*_STEPS[step])


def by_name(by: By) -> str:
    return words(*_BY[by])


def end_name(end: Disposition) -> str:
    return words(*_ENDS[end])


def scale_name(scale: Scale) -> str:
    """«NPS», «CSAT 1–5 (4, 5)», «CES 1–7, больше — легче», «Оценка 1–10»."""
    if scale.kind == "nps":
        return "NPS"
    ends = f"{scale.low}–{scale.high}"
    if scale.kind == "csat":
        return f"CSAT {ends} ({', '.join(map(str, scale.positive))})"
    if scale.kind == "ces":
        easier = scale.direction != "lower_is_easier"
        return f"CES {ends}, " + (
            words("больше — легче", "higher is easier")
            if easier
            else words("меньше — легче", "lower is easier")
        )
    return f"{words('Оценка', 'Score')} {ends}"
