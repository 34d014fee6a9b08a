"""`otklik agents`: who takes handovers, when he works, where he is, and why he was asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli.agents_csv import days_off, read_agents
from bot.cli.handover_node import ask, ask_or_read
from bot.core.errors import BadInput
from bot.core.routing import Route
from bot.orders_agents import agent_json, why_json
from bot.settings import Settings
from bot.store import agents as stored
from bot.store.database import Database
from bot.triage.directory import Presence, PresenceState
from bot.triage.explaining import Language, deadline_words, sentences, shift_words, target_words
from bot.triage.records import AgentRecord, DepartmentRecord
from bot.triage.rows import directory_of, seed_agents
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)

_PRESENCE = {
    "available": words("на месте", "available"),
    "busy": words("занят", "busy"),
    "away": words("отошёл", "away"),
    "offline": words("вышел", "offline"),
    None: "",
}
Json = Annotated[bool, typer.Option("--json", help=words("вывести JSON", "print JSON"))]
AgentId = Annotated[str, typer.Argument(help=words("номер сотрудника, например ivanova", "the agent's id"))]


@app.callback()
def _agents() -> None:
    """Сотрудники, которые принимают недовольных клиентов."""


@app.command(
    "list", help=words("Кто есть, в смене ли он и где он сейчас", "Who there is, and where he is now")
)
def list_agents(as_json: Json = False) -> None:
    told = ask_or_read("agents", _from_database)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    if not told["agents"]:
        typer.echo(
            words(
                "Сотрудников ещё нет: otklik agents set НОМЕР --sip sip:…",
                "There are no agents yet: otklik agents set ID --sip sip:…",
            )
        )
        return
    console = Console(highlight=False)
    console.print(_table(told["agents"]))
    for department in told["departments"]:
        console.print(_department_line(department))


async def _from_database(db: Database, settings: Settings) -> dict[str, Any]:
    """Without a node nobody's desk is open, and what agents chose is all that is known of them."""
    staff = await stored.staff(db)
    directory = directory_of(staff, seed_agents(settings.handover.agents))
    chosen = {row.id: PresenceState(row.presence) for row in staff.agents if row.presence}
    now = datetime.now(UTC)
    return {
        "agents": [
            agent_json(agent, directory, Presence(chosen.get(agent.id)), 0, now)
            for agent in sorted(directory.agents.values(), key=lambda each: each.id)
        ],
        "departments": [
            DepartmentRecord.of(each).model_dump(mode="json") for each in directory.departments.values()
        ],
    }


def _table(agents: list[dict[str, Any]]) -> Table:
    table = Table()
    heads = words(
        "Номер|Имя|Отдел|Смена|Сейчас|Звонить|Переводы|Темы", "Id|Name|Department|Shift|Now|Rings|Live|Topics"
    )
    for head in heads.split("|"):
        table.add_column(head, overflow="fold")
    for agent in agents:
        table.add_row(
            agent["id"],
            agent["name"],
            agent["department_name"] or agent["department"],
            shift_words(agent["shift"], _language()) or words("как у отдела", "the department's"),
            _now(agent),
            words("рабочее место", "desk")
            if agent["desk"] and agent["rings"] == "auto"
            else agent["sip"] or "-",
            f"{agent['live']}/{agent['max_live']}",
            ", ".join(agent["skills"]),
            style="" if agent["active"] else "dim",
        )
    return table


def _language() -> Language:
    return "en" if words("ru", "en") == "en" else "ru"


def _now(agent: dict[str, Any]) -> Text:
    if not agent["active"]:
        return Text(words("отключён", "switched off"))
    if not agent["on_shift"]:
        return Text(words("не в смене", "off shift"), style="dim")
    said = _PRESENCE[agent["presence"]] or words("в смене", "on shift")
    return Text(said, style="yellow" if agent["presence"] in ("busy", "away", "offline") else "green")


def _department_line(department: dict[str, Any]) -> Text:
    hours = department["callback_hours"]
    due = (
        words("до конца следующего рабочего дня", "by the end of the next working day")
        if hours is None
        else words(f"за {hours:g} рабочих ч", f"within {hours:g} working hours")
    )
    name = department["name"] or department["id"]
    return Text(
        f"{name} ({department['id']}): {shift_words(department['hours'], _language())}, {department['tz']}; "
        + words(f"перезвонить {due}", f"to ring back {due}"),
        style="dim",
    )


@app.command("set", help=words("Завести сотрудника или изменить его", "Add an agent, or change one"))
def set_agent(
    agent_id: AgentId,
    name: Annotated[str | None, typer.Option(help=words("имя", "name"))] = None,
    department: Annotated[str | None, typer.Option(help=words("отдел", "department"))] = None,
    skills: Annotated[str | None, typer.Option(help=words("темы через запятую", "topics, by commas"))] = None,
    sip: Annotated[str | None, typer.Option(help=words("телефон: sip:имя@узел", "telephone: sip:…"))] = None,
    login: Annotated[
        str | None, typer.Option(help=words("имя для входа на рабочее место", "desk login"))
    ] = None,
    languages: Annotated[str | None, typer.Option(help=words("языки: ru,en", "languages: ru,en"))] = None,
    tz: Annotated[str | None, typer.Option(help=words("часовой пояс", "time zone"))] = None,
    shift: Annotated[
        str | None, typer.Option(help=words("смена: «пн-пт 9-18; сб 10-14» или «всегда»", "mon-fri 9-18; …"))
    ] = None,
    max_live: Annotated[int | None, typer.Option(help=words("переводов сразу", "transfers at once"))] = None,
    active: Annotated[bool | None, typer.Option(help=words("работает ли он", "whether he works"))] = None,
    voicemail: Annotated[
        bool | None, typer.Option(help=words("может ли ответить автоответчик", "may a mailbox answer"))
    ] = None,
    rings: Annotated[
        str | None,
        typer.Option(help=words("auto: рабочее место, если открыто; phone: телефон", "auto, phone")),
    ] = None,
    fallback: Annotated[
        int | None,
        typer.Option(help=words("место среди запасных; 0: не запасной", "place as a fallback; 0: none")),
    ] = None,
    off: Annotated[
        str | None, typer.Option(help=words("отпуск: 2026-07-01..2026-07-14; …", "days off"))
    ] = None,
) -> None:
    """Что не названо, остаётся как было."""
    given = {
        "name": name, "department": department, "skills": skills, "sip": sip, "login": login,
        "languages": languages, "tz": tz, "shift": shift, "max_live": max_live, "active": active,
        "voicemail": voicemail, "rings": rings, "fallback": fallback,
    }  # fmt: skip
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if off is not None:
        changes["days_off"] = [record.model_dump(mode="json") for record in days_off(off)]
    before = _records(ask("agents")).get(agent_id, {})
    ask("agent_save", agents=[{"id": agent_id, **before, **changes}])
    typer.echo(
        words(f"Сотрудник {agent_id} сохранён.", f"Agent {agent_id} saved.")
        if before
        else words(f"Сотрудник {agent_id} заведён.", f"Agent {agent_id} added.")
    )


def _records(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Everybody's record, by id, as the node keeps it."""
    return {each["id"]: {key: each[key] for key in AgentRecord.model_fields} for each in told["agents"]}


@app.command(help=words("Завести отдел или изменить его", "Add a department, or change one"))
def department(
    department_id: Annotated[str, typer.Argument(help=words("номер отдела", "the department's id"))],
    name: Annotated[str | None, typer.Option(help=words("название", "name"))] = None,
    hours: Annotated[str | None, typer.Option(help=words("часы работы: «пн-пт 9-18»", "hours"))] = None,
    tz: Annotated[str | None, typer.Option(help=words("часовой пояс", "time zone"))] = None,
    country: Annotated[
        str | None, typer.Option(help=words("чьи праздники: RU; «-»: ничьи", "whose holidays: RU; «-»: none"))
    ] = None,
    callback_hours: Annotated[
        float | None,
        typer.Option(help=words("за сколько рабочих часов перезвонить; 0: до конца следующего рабочего дня",
                                "working hours to ring back in; 0: by the end of the next working day")),
    ] = None,
    max_live: Annotated[
        int | None, typer.Option(help=words("переводов на весь отдел; -1: без предела", "transfers; -1: any"))
    ] = None,
    fallback: Annotated[
        int | None, typer.Option(help=words("место среди запасных", "place as a fallback"))
    ] = None,
) -> None:  # fmt: skip
    """Что не названо, остаётся как было."""
    known = {each["id"]: each for each in ask("agents")["departments"]}
    changed: dict[str, Any] = known.get(department_id, {}) | {"id": department_id}
    given = {"name": name, "hours": hours, "tz": tz, "fallback": fallback}
    changed |= {key: value for key, value in given.items() if value is not None}
    if country is not None:
        changed["country"] = "" if country == "-" else country.upper()
    if callback_hours is not None:
        changed["callback_hours"] = callback_hours or None
    if max_live is not None:
        changed["max_live"] = None if max_live < 0 else max_live
    ask("agent_save", departments=[changed])
    typer.echo(words(f"Отдел {department_id} сохранён.", f"Department {department_id} saved."))


@app.command(help=words("Убрать сотрудника", "Remove an agent"))
def remove(
    agent_id: AgentId,
    to: Annotated[
        str, typer.Option(help=words("кому его дела и клиенты", "whose his cases and customers become"))
    ] = "",
) -> None:
    ask("agent_remove", agent_id=agent_id, heir=to)
    typer.echo(words(f"Сотрудника {agent_id} больше нет.", f"Agent {agent_id} is removed."))


@app.command(
    "import", help=words("Сотрудники из файла CSV: все или ни одного", "Agents from a CSV: all or none")
)
def import_agents(
    file: Annotated[Path, typer.Argument(help=words("файл CSV с заголовком", "a CSV file with a header"))],
    new_departments: Annotated[
        bool, typer.Option(help=words("завести отделы, которых ещё нет", "add departments that are missing"))
    ] = False,
) -> None:
    """Чего в файле нет, остаётся как было."""
    told = ask("agents")
    before = _records(told)
    known = frozenset(each["id"] for each in told["departments"])
    records = read_agents(file, None if new_departments else known)
    missing = sorted({each.department for each in records if each.department} - known)
    saved = ask(
        "agent_save",
        agents=[
            before.get(each.id, {}) | each.model_dump(mode="json", include=each.model_fields_set)
            for each in records
        ],
        departments=[{"id": name, "name": name} for name in missing],
    )
    typer.echo(
        words(f"Сохранено сотрудников: {saved['agents']}.", f"Agents saved: {saved['agents']}.")
        + (words(f" Новых отделов: {len(missing)}.", f" New departments: {len(missing)}.") if missing else "")
    )


@app.command(help=words("Сказать за сотрудника, где он", "Say for an agent where he is"))
def presence(
    agent_id: AgentId,
    state: Annotated[
        str,
        typer.Argument(help=words("available, busy, away, offline; auto: только по смене",
                                  "available, busy, away, offline; auto: by his shift alone")),
    ],
) -> None:  # fmt: skip
    said = ask("presence", agent_id=agent_id, state="" if state == "auto" else state)["state"]
    typer.echo(f"{agent_id}: {_PRESENCE[said] or words('по смене', 'by his shift')}")


@app.command(help=words("Закрепить клиента за сотрудником", "Give a customer his manager"))
def manager(
    contact_id: Annotated[str, typer.Argument(help=words("номер клиента", "the customer's id"))],
    agent_id: Annotated[str, typer.Argument(help=words("номер сотрудника; «-»: ничей", "agent; «-»: none"))],
) -> None:
    ask("manager", contact_id=contact_id, agent_id="" if agent_id == "-" else agent_id)
    typer.echo(words("Сохранено.", "Saved."))


@app.command(
    help=words("Почему звонили этому сотруднику: otklik agents why call-…", "Why this agent was rung")
)
def why(
    call_id: Annotated[str, typer.Argument(help=words("звонок: call-…", "the call: call-…"))],
    as_json: Json = False,
) -> None:
    async def read(db: Database, settings: Settings) -> dict[str, Any]:
        return await why_json(db, call_id)

    told = ask_or_read("why", read, call_id=call_id)
    if not told["routes"]:
        raise BadInput(
            words(
                f"для звонка {call_id} сотрудника не искали", f"no agent was sought for the call {call_id}"
            ),
            hint=words(
                "или такого звонка нет: otklik calls show", "or there is no such call: otklik calls show"
            ),
        )
    if as_json:
        told["routes"] = [row | {"route": json.loads(row["route"])} for row in told["routes"]]
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    language = _language()
    console = Console(highlight=False, soft_wrap=True)
    for row in told["routes"]:
        route = Route.model_validate_json(row["route"])
        at = datetime.fromisoformat(row["at"]).astimezone()
        wanted = target_words(row["target"], language)
        console.print(
            f"{at:%d.%m.%Y %H:%M:%S} " + words(f"искали {wanted}", f"sought: {wanted}"), style="bold"
        )
        *lines, last = sentences(route, told["names"], language)
        for line in lines:
            console.print(f"  {line}", markup=False)
        due = f", {deadline_words(route.due_at, None, language)}." if route.due_at else ""
        console.print(f"  {last}{due}", markup=False)
