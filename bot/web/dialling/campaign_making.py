"""A campaign is made: by a form or as the text of its file, with the same lint, for chosen contacts.

GET  /campaigns/new              ?as=yaml, or ?like=ID: the text of one that is there
POST /campaigns/new              the form or {yaml}, and whom to ring; {act: check | create | yaml}
POST /campaigns/lint             {yaml}: a part of the page, what is wrong with the text as it is typed
"""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from ruamel.yaml import YAML

from bot.accounts.roles import OPERATORS
from bot.campaigns.importing.phones import NotAPhone, read_phones
from bot.campaigns.linting import lint_campaign
from bot.campaigns.loader import read_campaign
from bot.campaigns.reading import definition_of
from bot.campaigns.schema import Campaign
from bot.core.errors import BadInput, OtklikError, SurveyInvalid
from bot.store import campaigns as store
from bot.store import imports
from bot.store.campaigns import Chosen
from bot.surveys.problems import Problem
from bot.surveys.schema import Survey
from bot.web.dialling.campaign_form import DEFAULTS, by_field, said, told, written
from bot.web.dialling.common import form_of, names_of, see, surveys_of
from bot.web.parts import Parts, parts_of
from bot.web.rendering import render
from bot.web.who import allowed, noted
from bot.words import words

routes = web.RouteTableDef()

WHOM = ("all", "import", "department", "manager", "phones", "standing")
MOST_PHONES = 20_000
IMPORTS = 30


@routes.get("/campaigns/new")
@allowed(*OPERATORS)
async def new(request: web.Request) -> web.StreamResponse:
    like = request.query.get("like", "")
    if like:
        try:
            row = await store.campaign(parts_of(request).db, like)
        except BadInput as error:
            raise web.HTTPNotFound from error
        return await _page(request, {"yaml": copy_of(definition_of(row.definition))}, as_yaml=True)
    return await _page(request, DEFAULTS, as_yaml=request.query.get("as") == "yaml")


def copy_of(definition: Campaign) -> str:
    """A file like this campaign's, under another name."""
    told = definition.model_dump(mode="json", exclude_defaults=True)
    text = io.StringIO()
    YAML().dump({**told, "id": f"{definition.id[:37]}_2"}, text)
    return text.getvalue()


@routes.post("/campaigns/lint")
@allowed(*OPERATORS)
async def lint(request: web.Request) -> web.StreamResponse:
    text = (await form_of(request)).get("yaml", "")
    _, problems = await linted(parts_of(request), text)
    return render(request, "dialling/campaign_problems.html", {"problems": problems, "said": said})


@routes.post("/campaigns/new")
@allowed(*OPERATORS)
async def make(request: web.Request) -> web.StreamResponse:
    """Nothing is made before everything is right: the text, whom to ring, and the node's own word."""
    parts, form = parts_of(request), await form_of(request)
    as_yaml = "yaml" in form
    text, of_line = (form["yaml"], dict[int, str]()) if as_yaml else written(form)
    if form.get("act") == "yaml":
        return await _page(request, {**form, "yaml": text}, as_yaml=True)
    campaign, problems = await linted(parts, text)
    wrong = [problem for problem in problems if problem.level == "error"]
    count: int | None = None
    problem = ""
    try:
        chosen = chosen_of(form)
        if chosen is not None:
            count = await store.chosen_count(parts.db, Chosen(**chosen))
            if not count:
                problem = words("таких контактов нет: звонить некому", "there are no such contacts")
    except BadInput as error:
        problem, chosen = error.message, None
    if form.get("act") == "create" and campaign is not None and not wrong and not problem:
        try:
            await parts.control(
                "campaign_create",
                definition=campaign.model_dump(mode="json"),
                **({"chosen": _order(chosen)} if chosen is not None else {"standing": True}),
            )
        except OtklikError as error:
            problem = error.message
        else:
            await noted(request, "create", "campaign", campaign.id, whom=form.get("whom"), contacts=count)
            made = words(
                "Кампания создана. Проверьте и запустите.", "The campaign is made. Look at it and start."
            )
            return see(request, f"/campaigns/{campaign.id}", made)
    values = {
        **form,
        "problem": problem,
        "fields": by_field(problems, of_line),
        "problems": problems,
        "count": count,
        "checked": form.get("act") == "check" and not wrong and not problem,
    }
    return await _page(request, values, as_yaml=as_yaml, status=400 if wrong or problem else 200)


def _order(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """As `campaign_create` takes it: nobody means everybody."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in chosen.items()} or {
        "everybody": True
    }


def chosen_of(form: Mapping[str, str]) -> dict[str, Any] | None:
    """The fields of `Chosen`; empty for everybody, None for a standing campaign. Raises BadInput."""
    whom = form.get("whom", "")
    if whom == "standing":
        return None
    if whom == "all":
        return {}
    if whom == "phones":
        return {"phones": phones_of(form.get("phones", ""))}
    name = {"import": "import_id", "department": "department", "manager": "manager_id"}.get(whom)
    value = form.get(whom, "")
    if name is None or not value:
        raise BadInput(words("скажите, кому звонить", "say whom to ring"))
    return {name: value}


def phones_of(text: str) -> tuple[str, ...]:
    """The keys of the numbers, one or more a line. Raises BadInput with the line that is none."""
    found: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                found |= dict.fromkeys(phone.key for phone in read_phones(line))
            except NotAPhone as error:
                where = words(f"номера, строка {number}", f"numbers, line {number}")
                raise BadInput(f"{where}: {error}") from error
    if not found or len(found) > MOST_PHONES:
        raise BadInput(
            words(f"номеров нужно от 1 до {MOST_PHONES}", f"from 1 to {MOST_PHONES} numbers are needed")
        )
    return tuple(found)


async def linted(parts: Parts, text: str) -> tuple[Campaign | None, tuple[Problem, ...]]:
    """The campaign of a text, where it is one, and all that is wrong with it."""
    surveys = surveys_of(parts)

    def find(name: str) -> Survey | None:
        try:
            return surveys(name)[1]
        except SurveyInvalid:
            return None

    def read() -> tuple[Campaign | None, tuple[Problem, ...]]:
        with tempfile.TemporaryDirectory(prefix="otklik-") as folder:
            file = Path(folder) / "campaign.yaml"
            file.write_text(text.replace("\r\n", "\n"), encoding="utf-8", newline="\n")
            return read_campaign(file).campaign, lint_campaign(file, find)

    return await asyncio.to_thread(read)


async def _page(
    request: web.Request, values: Mapping[str, Any], *, as_yaml: bool, status: int = 200
) -> web.Response:
    parts = parts_of(request)
    managers, departments = await names_of(request)
    if as_yaml and "problems" not in values and values.get("yaml"):
        _, problems = await linted(parts, values["yaml"])
        values = {**values, "problems": problems}
    page = {
        "form": values,
        "problem": values.get("problem", ""),
        "fields": values.get("fields", {}),
        "problems": values.get("problems", ()),
        "count": values.get("count"),
        "checked": values.get("checked", False),
        "surveys": [each for each in parts.published.versions() if each.current],
        "imports": await imports.imports(parts.db, IMPORTS),
        "managers": managers,
        "departments": departments,
        "said": said,
        "told": told,
    }
    template = "dialling/campaign_yaml.html" if as_yaml else "dialling/campaign_form.html"
    return render(request, template, page, status=status)
