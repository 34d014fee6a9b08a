"""The policy's reasons in words, for commands and pages. Times are told by the contact's own clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.campaigns import durations
from bot.campaigns.breaker import Trip, TripCode
from bot.campaigns.facts import CampaignState
from bot.campaigns.pacing import Bound
from bot.campaigns.policy import Allowed, Decision
from bot.campaigns.reasons import Reason, ReasonCode
from bot.core.endings import RetryCause
from bot.words import words

_Pair = tuple[str, str]

REASONS: Mapping[ReasonCode, _Pair] = {
    ReasonCode.DRAFT: ("кампания ещё не запущена", "the campaign has not been started"),
    ReasonCode.PAUSED: ("кампания на паузе", "the campaign is paused"),
    ReasonCode.DRAINING: ("кампания завершает начатые звонки", "the campaign only ends the calls it began"),
    ReasonCode.STOPPED: ("кампания остановлена", "the campaign is stopped"),
    ReasonCode.DONE: ("кампания завершена", "the campaign is done"),
    ReasonCode.UNKNOWN_STATE: ("состояние кампании неизвестно", "the state of the campaign is not known"),
    ReasonCode.TARGET_REACHED: ("опросов уже достаточно", "enough surveys are completed"),
    ReasonCode.TARGET_UNDER_WAY: (
        "опросов будет достаточно, если завершатся начатые звонки",
        "the calls under way may complete enough surveys",
    ),
    ReasonCode.QUOTA_REACHED: ("квота набрана", "the quota is reached"),
    ReasonCode.QUOTA_UNDER_WAY: (
        "квота наберётся, если завершатся начатые звонки",
        "the calls under way may reach the quota",
    ),
    ReasonCode.QUOTA_UNKNOWN: (
        "нельзя сказать, набрана ли квота: нет данных",
        "whether the quota is reached cannot be told: data are missing",
    ),
    ReasonCode.WITHDRAWN: ("контакт убран из кампании", "the contact was taken out of the campaign"),
    ReasonCode.STALE: (
        "разговор, о котором спросить, уже слишком давний",
        "the talk to ask about is too long ago",
    ),
    ReasonCode.DO_NOT_CALL: ("номер в списке «не звонить»", "the number is on the do-not-call list"),
    ReasonCode.DO_NOT_CALL_UNKNOWN: (
        "список «не звонить» не проверен",
        "the do-not-call list could not be checked",
    ),
    ReasonCode.NO_CONSENT: ("нет согласия на звонки", "there is no consent to calls on record"),
    ReasonCode.CONSENT_UNKNOWN: ("согласие не проверено", "the consent could not be checked"),
    ReasonCode.ON_THE_LINE: ("клиент сейчас на линии с нами", "he is on the line with us now"),
    ReasonCode.ON_THE_LINE_UNKNOWN: (
        "неизвестно, не идёт ли с клиентом звонок",
        "whether he is on the line is not known",
    ),
    ReasonCode.NO_ZONE: (
        "часовой пояс неизвестен, а без него не звонят",
        "the time zone is not known, and nobody is called without one",
    ),
    ReasonCode.UNKNOWN_ZONE: ("такого часового пояса нет", "there is no such time zone"),
    ReasonCode.UNKNOWN_COUNTRY: (
        "праздники этой страны неизвестны",
        "the holidays of this country are not known",
    ),
    ReasonCode.HISTORY_UNKNOWN: (
        "неизвестно, когда клиенту уже звонили",
        "when he was called before is not known",
    ),
    ReasonCode.TALKED: ("разговор уже состоялся", "the talk has taken place"),
    ReasonCode.BAD_NUMBER: (
        "номер чужой или не существует",
        "the number is not his, or does not exist",
    ),
    ReasonCode.DECLINED: ("клиент сбросил звонок", "he rejected the call"),
    ReasonCode.HUMAN_CALLS: (
        "клиенту обещан звонок сотрудника",
        "he was promised a call by an agent",
    ),
    ReasonCode.ATTEMPTS_USED: ("все попытки истрачены", "all attempts are used"),
    ReasonCode.CAUSE_LIMIT: (
        "по этой причине больше не перезванивают",
        "he is not called again for this cause",
    ),
    ReasonCode.PROMISES_USED: (
        "клиент откладывал звонок столько раз, сколько можно",
        "he has put the call off as often as is allowed",
    ),
    ReasonCode.NOT_STARTED: (
        "первый день кампании ещё не наступил",
        "the campaign's first day is yet to come",
    ),
    ReasonCode.ENDED: (
        "кампания кончается раньше, чем клиенту можно позвонить",
        "the campaign ends before he may be called",
    ),
    ReasonCode.CLOSED_DAY: ("в этот день кампания не звонит", "the campaign does not call on this day"),
    ReasonCode.HOLIDAY: ("у клиента праздник", "it is a holiday where he is"),
    ReasonCode.NO_HOURS_TODAY: (
        "в этот день недели не звонят",
        "nobody is called on this day of the week",
    ),
    ReasonCode.OUTSIDE_HOURS: (
        "у клиента сейчас не время для звонков",
        "it is not the hour for calls where he is",
    ),
    ReasonCode.NO_HOURS: (
        "у кампании и опроса нет ни одного общего часа для звонков",
        "the campaign and the survey have no hour for calls in common",
    ),
    ReasonCode.TOO_EARLY: (
        "после прошлой попытки прошло мало времени",
        "too little time since the last attempt",
    ),
    ReasonCode.PROMISED_LATER: (
        "клиент просил позвонить в другое время",
        "he asked to be called at another time",
    ),
    ReasonCode.RINGS_PER_DAY: (
        "за сутки клиенту звонили достаточно",
        "he was called often enough in 24 hours",
    ),
    ReasonCode.RINGS_PER_WEEK: (
        "за неделю клиенту звонили достаточно",
        "he was called often enough in 7 days",
    ),
    ReasonCode.SAME_SURVEY: (
        "об этом же опросе с клиентом недавно говорили",
        "he was talked to about the same survey not long ago",
    ),
    ReasonCode.ANY_SURVEY: (
        "с клиентом недавно уже говорили об опросе",
        "he was talked to about a survey not long ago",
    ),
}

CAUSES: Mapping[RetryCause, _Pair] = {
    RetryCause.BUSY: ("занято", "busy"),
    RetryCause.NO_ANSWER: ("не ответили", "no answer"),
    RetryCause.UNAVAILABLE: ("телефон недоступен", "the phone could not be reached"),
    RetryCause.VOICEMAIL: ("автоответчик", "voicemail"),
    RetryCause.MACHINE: ("секретарь или меню", "a secretary or a menu"),
    RetryCause.SILENCE: ("ни слова не было сказано", "not a word was said"),
    RetryCause.FAILED: ("звонок не прошёл", "the call failed"),
    RetryCause.INTERRUPTED: ("звонок прервался по нашей вине", "the call was interrupted by us"),
    RetryCause.PROMISED: ("просил позвонить позже", "asked to be called later"),
}

BOUNDS: Mapping[Bound, _Pair] = {
    Bound.CAMPAIGN_LINES: ("заняты все линии кампании", "all lines of the campaign are in use"),
    Bound.FREE_LINES: ("нет свободных линий", "no line is free"),
    Bound.AGENTS: ("ждём свободных сотрудников", "waiting for free agents"),
    Bound.RATE: ("быстрее звонить нельзя", "no faster than this"),
}

STATES: Mapping[str, _Pair] = {
    CampaignState.DRAFT: ("ещё не запущена", "a draft"),
    CampaignState.RUNNING: ("идёт", "running"),
    CampaignState.PAUSED: ("на паузе", "paused"),
    CampaignState.DRAINING: ("завершает начатые звонки", "draining"),
    CampaignState.STOPPED: ("остановлена", "stopped"),
    CampaignState.DONE: ("завершена", "done"),
}


def reason_words(reason: Reason, tz: str = "") -> str:
    """«у клиента сейчас не время для звонков; можно с 30.11 10:00 (Asia/Omsk)»."""
    said = words(*REASONS[reason.code])
    if detail := _detail(reason):
        said += f" ({detail})"
    if reason.not_before is not None:
        said += words("; можно с ", "; from ") + told(reason.not_before, tz)
    return said


def decision_lines(decision: Decision, tz: str = "") -> tuple[str, ...]:
    """All of a decision, a line for each reason; first what it is, and from when it is another."""
    if isinstance(decision, Allowed):
        promised = words("; клиент просил об этом сам", "; he asked for it himself")
        return (words("можно звонить", "may be called") + (promised if decision.for_promise else ""),)
    first = words("звонить нельзя", "may not be called")
    if decision.not_before is not None:
        first += words(" до ", " before ") + told(decision.not_before, tz)
    return (first, *(reason_words(reason, tz) for reason in decision.reasons))


def trip_words(trip: Trip) -> str:
    """Why a campaign has paused itself, with the figures."""
    over, limit = durations.told(trip.threshold.over), f"{trip.threshold.share:.0%}"
    figures = f"{trip.bad} / {trip.sample} = {trip.bad / trip.sample:.0%}"
    if trip.code is TripCode.FAILURES:
        return words(
            f"слишком много сбоев за {over}: {figures}, порог {limit}",
            f"too many calls failed in {over}: {figures}, the limit is {limit}",
        )
    return words(
        f"слишком многие просят не звонить, за {over}: {figures}, порог {limit}",
        f"too many people opted out in {over}: {figures}, the limit is {limit}",
    )


def told(moment: datetime, tz: str) -> str:
    """By this zone's clock, and which zone it is; by UTC where there is no such zone."""
    try:
        zone = ZoneInfo(tz or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = ZoneInfo("UTC")
    return f"{moment.astimezone(zone):%d.%m.%Y %H:%M} ({zone.key})"


def _detail(reason: Reason) -> str:
    if reason.code is ReasonCode.CAUSE_LIMIT:
        return words(*CAUSES[RetryCause(reason.detail)])
    return reason.detail
