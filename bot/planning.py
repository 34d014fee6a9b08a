"""From an order or an incoming line to the plan of a call."""

from __future__ import annotations

from collections.abc import Sequence

from bot.call.plan import CallPlan, CallTexts
from bot.call.speaking import Voice
from bot.core.context import CallContext, Person
from bot.core.errors import BadInput
from bot.core.ids import new_id
from bot.published import Published
from bot.settings import InboundSection, TrunkSection
from bot.surveys.handover_words import handover_words
from bot.surveys.piping import render
from bot.surveys.prompts import voices
from bot.surveys.schema import Survey
from telephony.leg import CallLeg

AGENT_HEADER = "X-Agent-Id"
DEPARTMENT_HEADER = "X-Department"


def prompt_rates(codecs: Sequence[str]) -> tuple[int, ...]:
    """The rates at which lines with these codecs are spoken to: prompts are kept at each."""
    return tuple(sorted({8000 if codec in ("PCMA", "PCMU") else 16000 for codec in codecs}))


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


def plan_inbound(leg: CallLeg, routes: InboundSection, published: Published) -> CallPlan:
    """The called number chooses the survey, the PBX's headers name agent and department.

    Raises SurveyInvalid where no survey is meant for that number.
    """
    survey_id = routes.routes.get(user_of(leg.local), routes.default_survey)
    digest, survey = published.by_id(survey_id)
    headers = {name.lower(): value for name, value in leg.headers.items()}
    context = CallContext(
        call_id=new_id("call"),
        survey_hash=digest,
        direction="inbound",
        agent=Person(id=headers.get(AGENT_HEADER.lower(), "")),
        department=headers.get(DEPARTMENT_HEADER.lower(), ""),
    )
    return plan_of(survey, context, new_id("attempt"))


def user_of(uri: str) -> str:
    """The user part of a SIP URI: `sip:100@pbx` -> `100`."""
    return uri.partition(":")[2].partition("@")[0].partition(";")[0]


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
