"""What of a campaign is changed while it goes: how fast, at which hours and days, and its last day.

POST /campaigns/ID/change   {of} and the fields of `CHANGEABLE`

The engine reads a campaign anew at every step, on every node: the next call is rung by what was changed,
calls that go on are left alone. What else it is (its survey, whom it rings, how often) stays: whoever was
rung already would have been rung by other rules than the rest.
"""

from __future__ import annotations

from aiohttp import web

from bot.accounts.roles import OPERATORS
from bot.campaigns.facts import CampaignState
from bot.campaigns.reading import definition_of
from bot.campaigns.reason_words import STATES
from bot.campaigns.reasons import ReasonCode
from bot.store import campaigns as store
from bot.web.dialling.campaign_form import CHANGEABLE, changed_text, digest_of, told, values_of
from bot.web.dialling.campaign_making import linted
from bot.web.dialling.campaigns import page_of, row_of
from bot.web.dialling.common import form_of, see
from bot.web.parts import parts_of
from bot.web.rendering import segment
from bot.web.who import allowed, entry
from bot.words import words

routes = web.RouteTableDef()

WHILE = (CampaignState.DRAFT, CampaignState.RUNNING, CampaignState.PAUSED)
_OF_PACE = frozenset({"lines", "per_second", "agents"})


@routes.post("/campaigns/{campaign_id}/change")
@allowed(*OPERATORS)
async def change(request: web.Request) -> web.StreamResponse:
    """Nothing is changed before everything is right, nor over what somebody else changed meanwhile."""
    parts, row, form = parts_of(request), await row_of(request), await form_of(request)
    given = {name: form[name] for name in CHANGEABLE if name in form}
    where, definition = f"/campaigns/{segment(row.id)}", definition_of(row.definition)
    campaign, problems = await linted(parts, changed_text(definition, given))
    wrong = [told(problem) for problem in problems if problem.level == "error"]
    if campaign is None or wrong:
        return await page_of(request, row, "; ".join(wrong), given)
    before, after = values_of(definition), values_of(campaign)
    differs = {name for name in CHANGEABLE if before.get(name) != after.get(name)}
    if not differs and form.get("of") == digest_of(row.definition):
        return see(request, where, words("Ничего не изменилось.", "Nothing was changed."))
    audit = entry(
        request, "change", "campaign", row.id,
        was={name: before.get(name, "") for name in sorted(differs)},
        now={name: after.get(name, "") for name in sorted(differs)},
    )  # fmt: skip
    done = form.get("of") == digest_of(row.definition) and await store.redefine(
        parts.db,
        row.id,
        was=row.definition,
        definition=campaign.model_dump_json(),
        among=WHILE,
        now=parts.clock.now(),
        again=(ReasonCode.ENDED,) if differs - _OF_PACE else None,
        audit=audit,
    )
    if not done:
        row = await row_of(request)
        over = words(f"кампания {STATES[row.state][0]}", f"the campaign is {row.state}")
        other = words(
            "её тем временем изменили: посмотрите, что теперь", "it was changed meanwhile: see what it is now"
        )
        return await page_of(request, row, over if row.state not in WHILE else other)
    return see(
        request, where, words("Изменено; действует со следующего звонка.", "Changed, from the next call on.")
    )
