"""From an order or an incoming line to the plan of a call."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from pydantic import BaseModel, ConfigDict

from bot.call.plan import CallPlan, CallTexts
from bot.call.speaking import Voice
from bot.core.attribution import Source
from bot.core.context import CallContext, Person
from bot.core.errors import BadInput, SettingsInvalid, SurveyInvalid
from bot.core.ids import new_id
from bot.inbound.announcements import Announcement
from bot.inbound.attributing import Attributed, Heard, Known, attribute
from bot.inbound.numbers import route_for
from bot.inbound.settings import InboundSettings, Route
from bot.published import Published
from bot.settings import Settings
from bot.settings_sip import TrunkSection
from bot.surveys.handover_words import handover_words
from bot.surveys.piping import render
from bot.surveys.prompts import voices
from bot.surveys.schema import Survey
from bot.timezones import customer_zone

WEBRTC_RATE = 16000
"""Samples a second of a browser's line, in both directions."""


def prompt_rates(codecs: Sequence[str]) -> tuple[int, ...]:
    """The rates at which lines with these codecs are spoken to: prompts are kept at each."""
    return tuple(sorted({8000 if codec in ("PCMA", "PCMU") else 16000 for codec in codecs}))


def line_rates(settings: Settings) -> tuple[int, ...]:
    """The rates of every line that a node may have: a browser's is always the higher one."""
    rates = prompt_rates(settings.sip.codecs)
    return tuple(sorted({*rates, WEBRTC_RATE})) if settings.web.port else rates


def plan_of(survey: Survey, context: CallContext, attempt_id: str, contact_id: str = "") -> CallPlan:
    def spoken(text: str) -> str:
        return render(text, context, survey.company)

    return CallPlan(
        attempt_id=attempt_id,
        survey_id=survey.id,
        context=context,
        voice=Voice(survey.voice, survey.language, voices(survey, context)),
        texts=CallTexts(
            filler=tuple(map(spoken, survey.texts.filler)),
            hold=tuple(map(spoken, survey.texts.connecting)),
            error=spoken(survey.closings.error),
            farewell=spoken(survey.closings.hung_up),
            agent_recorded=survey.texts.agent_recorded,
            handover=handover_words(survey.language),
        ),
        record=survey.record,
        contact_id=contact_id,
        message=spoken(survey.voicemail.message) if survey.voicemail is not None else "",
        survey=survey,
    )


class Met(BaseModel):
    """The reply to `meet`, what control knows of a call that comes in: its announcement with its id, and
    the customer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    announced: tuple[str, Announcement] | None = None
    known: Known | None = None


def plan_inbound(
    call_id: str, call: Heard, met: Met, inbound: InboundSettings, published: Published, timezone: str
) -> CallPlan:
    """The announcement or the called number chooses the survey; whose talk it is about is what
    `bot.inbound.attributing` finds.

    The caller's number tells his time zone, where it tells one; else it is the company's, `timezone`.

    Raises SurveyInvalid where no survey is meant for that number.
    """
    route = route_for(call.called, inbound.routes) or Route(inbound.default_survey)
    found = attribute(call, route, met.announced, met.known)
    digest, survey = _survey_of(found, route, published)
    context = CallContext(
        call_id=call_id,
        survey_hash=digest,
        direction="inbound",
        customer=found.customer,
        agent=Person(id=found.agent),
        department=found.department,
        timezone=customer_zone(
            met.known.timezone if met.known else "", f"+{found.phone}" if found.phone else "", timezone
        ),
    )
    plan = plan_of(survey, context, new_id("attempt"), found.contact_id)
    return replace(
        plan,
        conversation_id=found.conversation_id,
        phone=found.phone,
        about=found.about,
        attribution=found.attribution,
    )


def _survey_of(found: Attributed, route: Route, published: Published) -> tuple[str, Survey]:
    """The announced survey was there when it was announced; if it is not any more, the route's is asked.
    Raises SurveyInvalid."""
    if found.attribution.survey is Source.ANNOUNCEMENT and found.survey in published.current():
        return published.by_id(found.survey)
    return survey_in(route, published)


def survey_in(route: Route, published: Published) -> tuple[str, Survey]:
    """The survey of a route, in its language. Raises SurveyInvalid with the nearest id there is."""
    surveys = {survey_id: published.by_hash(digest) for survey_id, digest in published.current().items()}
    return published.by_id(survey_id_of(route, {each.id: each.language for each in surveys.values()}))


def survey_id_of(route: Route, languages: Mapping[str, str]) -> str:
    """`languages` has each survey's that runs. Raises SurveyInvalid."""
    if route.survey not in languages:
        raise _no_survey(route.survey, languages)
    spoken = languages[route.survey]
    if not route.language or route.language == spoken:
        return route.survey
    variant = f"{route.survey}_{route.language}"
    if languages.get(variant) != route.language:
        raise SurveyInvalid(
            f"опроса {route.survey} на языке {route.language} нет",
            hint=f"его ждут под номером {variant}; сам {route.survey} на языке {spoken}",
        )
    return variant


def check_routes(inbound: InboundSettings, surveys: Iterable[Survey]) -> None:
    """Every route leads to a survey that runs. Raises SettingsInvalid: which does not, and what is near."""
    languages = {survey.id: survey.language for survey in surveys}
    for called, route in inbound.routes.items():
        try:
            survey_id_of(route, languages)
        except SurveyInvalid as error:
            raise SettingsInvalid(f"inbound.routes.{called}: {error.message}", hint=error.hint) from error


def _no_survey(survey_id: str, current: Collection[str]) -> SurveyInvalid:
    if not survey_id:
        return SurveyInvalid(
            "для этого номера опроса нет", hint="номер в inbound.routes или опрос в inbound.default_survey"
        )
    close = get_close_matches(survey_id, current, n=1)
    known = ", ".join(sorted(current)) or "ни одного"
    return SurveyInvalid(
        f"опрос «{survey_id}» не опубликован", hint=f"похоже на {close[0]}" if close else f"есть: {known}"
    )


def callable_uri(to: str, trunk: TrunkSection) -> str:
    """A SIP URI as it is; a number through the trunk. Raises BadInput."""
    if to.lower().startswith(("sip:", "sips:")) and "@" in to:
        return to
    digits = "".join(sign for sign in to if sign not in " -()")
    if not digits.removeprefix("+").isdigit():
        raise BadInput(f"«{to}» не SIP-адрес и не номер", hint="sip:имя@узел:порт или +74950000000")
    host = trunk.domain or trunk.proxy.removeprefix("sip:")
    if not host:
        raise BadInput(
            f"номер {to} звонить не через что: транк не настроен",
            hint="задайте sip.trunk.domain или звоните на sip:имя@узел:порт",
        )
    return f"sip:{digits}@{host}"
