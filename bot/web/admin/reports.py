"""Reports that are sent by themselves: who gets what, and when; and what was sent.

GET  /admin/reports             the list, the log, and a form for another one; POST adds
POST /admin/reports/ID/send     now, beside its times
POST /admin/reports/ID/switch   {on}: to the state that is named, `yes` or `no`
POST /admin/reports/ID/retry    what was given up is tried again
POST /admin/reports/ID/remove
"""

from __future__ import annotations

import re

from aiohttp import web
from pydantic import ValidationError

from bot.accounts.roles import Role
from bot.core.errors import BadInput
from bot.delivery.endpoints import Endpoints
from bot.delivery.mail import checked_address
from bot.reports import schedules
from bot.reports.schedules import Definition, Schedule
from bot.reports.slices import By
from bot.reports.wording import by_name
from bot.store import notices
from bot.store.tables_notices import About
from bot.web.admin.clock import zone_of
from bot.web.admin.forms import back_to, form_of, problem_of, said_of
from bot.web.language import tr
from bot.web.parts import Parts, parts_of
from bot.web.rendering import render
from bot.web.who import account_of, allowed, entry
from bot.words import words

routes = web.RouteTableDef()

PATH = "/admin/reports"
LOGGED = 50
_STATES = {"yes": True, "no": False}


@routes.get(PATH)
@allowed(Role.ADMIN)
async def listed(request: web.Request) -> web.StreamResponse:
    return await _page(request)


@routes.post(PATH)
@allowed(Role.ADMIN)
async def add(request: web.Request) -> web.StreamResponse:
    parts = parts_of(request)
    form: dict[str, str] = {}
    try:
        form = await form_of(request)
        name, definition = form.get("name", ""), await _definition(parts, form)
        row = entry(
            request, "add", "report", name, **definition.model_dump(mode="json", exclude_defaults=True)
        )
        who, now = account_of(request).login, parts.clock.now()
        await schedules.add(parts.db, name, definition, who, now, audit=row)
    except BadInput as error:
        return await _page(request, form=form, problem=problem_of(error), status=400)
    return back_to(f"{PATH}?said=added")


@routes.post(PATH + "/{schedule_id}/{act}")
@allowed(Role.ADMIN)
async def act(request: web.Request) -> web.StreamResponse:
    parts, now = parts_of(request), parts_of(request).clock.now()
    schedule = await schedules.by_id(parts.db, request.match_info["schedule_id"])
    if schedule is None:
        raise web.HTTPNotFound
    what = request.match_info["act"]
    row = entry(request, what, "report", schedule.name)
    match what:
        case "send":
            await schedules.send_now(parts.db, schedule.id, now, audit=row)
        case "switch":
            try:
                on = _on(await form_of(request))
            except BadInput as error:
                return await _page(request, problem=problem_of(error), status=400)
            row.details = {"on": on}
            await schedules.switch(parts.db, schedule.id, now, on=on, audit=row)
        case "retry":
            await notices.resend(parts.db, now, schedule.id, audit=row)
        case "remove":
            await schedules.remove(parts.db, schedule.id, audit=row)
        case _:
            raise web.HTTPNotFound
    return back_to(f"{PATH}?said={what}")


def _on(form: dict[str, str]) -> bool:
    """The state that was asked for, whatever it is now: who comes second with the same wish undoes nothing.
    Raises BadInput."""
    wanted = form.get("on", "")
    if wanted not in _STATES:
        raise BadInput(
            words(f"on: «{wanted}» не состояние", f"on: «{wanted}» is no state"), hint=", ".join(_STATES)
        )
    return _STATES[wanted]


async def _definition(parts: Parts, form: dict[str, str]) -> Definition:
    """Raises BadInput that says which field will not do."""
    mail_to = tuple(checked_address(each) for each in re.split(r"[\s,;]+", form.get("mail_to", "")) if each)
    if mail_to and not parts.mails:
        raise BadInput(
            words("почта не настроена", "mail is not set up"),
            hint=words("задайте mail.host и mail.sender", "set mail.host and mail.sender"),
        )
    endpoint = form.get("webhook", "")
    if endpoint:
        await Endpoints(parts.db, parts.clock).named(endpoint)
    survey = form.get("survey", "")
    given = {
        "content": form.get("content", "figures"),
        "every": form.get("every", ""),
        "weekday": form.get("weekday", "1"),
        "day": form.get("day", "1"),
        "at": form.get("at", ""),
        "zone": form.get("zone") or parts.settings.timezone,
        "by": form.get("by") or None,
        "surveys": (survey,) if survey else (),
        "departments": (form["department"],) if form.get("department") else (),
        "mail_to": mail_to,
        "webhooks": (endpoint,) if endpoint else (),
    }
    try:
        return Definition.model_validate(given)
    except ValidationError as error:
        raise schedules.unfit(error) from error


async def _page(
    request: web.Request, *, form: dict[str, str] | None = None, problem: str = "", status: int = 200
) -> web.Response:
    parts = parts_of(request)
    found = await schedules.schedules(parts.db)
    values = {
        "schedules": found,
        "when": {each.id: when(each, tr(request, "ru", "en")) for each in found},
        "names": {each.id: each.name for each in found},
        "log": await notices.log(parts.db, about=About.REPORT, limit=LOGGED),
        "endpoints": [each.name for each in await Endpoints(parts.db, parts.clock).list()],
        "surveys": sorted(parts.published.current()),
        "by": [(each.value, by_name(each)) for each in By],
        "mails": parts.mails,
        "form": form or {},
        "problem": problem,
        "said": said_of(request, _SAID),
        "zone": zone_of(request),
    }
    return render(request, "admin/reports.html", values, status=status)


_DAYS = (
    ("по понедельникам", "on Mondays"),
    ("по вторникам", "on Tuesdays"),
    ("по средам", "on Wednesdays"),
    ("по четвергам", "on Thursdays"),
    ("по пятницам", "on Fridays"),
    ("по субботам", "on Saturdays"),
    ("по воскресеньям", "on Sundays"),
)


def when(schedule: Schedule, language: str) -> str:
    """«по понедельникам в 09:00, Europe/Moscow: за прошлую неделю»."""
    of, english = schedule.definition, language == "en"
    at = f"{'at' if english else 'в'} {of.at}, {of.zone}"
    match of.every:
        case "day":
            said = ("ежедневно", "за прошлый день"), ("daily", "the day before")
        case "week":
            russian, foreign = _DAYS[of.weekday - 1]
            said = (russian, "за прошлую неделю"), (foreign, "the week before")
        case "month":
            said = (
                (f"{of.day}-го числа", "за прошлый месяц"),
                (f"on day {of.day} of a month", "the month before"),
            )
        case _:
            said = (
                (f"{of.day}-го числа квартала", "за прошлый квартал"),
                (f"on day {of.day} of a quarter", "the quarter before"),
            )
    days, period = said[english]
    return f"{days} {at}: {period}"


_SAID = {
    "added": ("Отчёт добавлен.", "The report is added."),
    "send": ("Отправляется сейчас; итог появится в журнале.", "Being sent; see the log."),
    "switch": ("Сохранено.", "Saved."),
    "retry": ("Пробуем ещё раз.", "Being tried again."),
    "remove": ("Отчёт удалён.", "The report is removed."),
}
"""After which change, in Russian and in English."""
