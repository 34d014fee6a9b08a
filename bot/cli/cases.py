"""`otklik cases`: unhappy customers' matters, whose they are, and until when."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli.handover_node import ask, ask_or_read
from bot.core.errors import BadInput
from bot.orders_cases import CasesOrder, case_json, cases_json
from bot.settings import Settings
from bot.store.database import Database
from bot.store.tables_cases import CaseStatus, CaseStep
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)

STATUSES = {
    CaseStatus.OPEN: words("открыто", "open"),
    CaseStatus.CLAIMED: words("в работе", "claimed"),
    CaseStatus.DONE: words("сделано", "done"),
    CaseStatus.CLOSED: words("закрыто", "closed"),
}
STEPS = {
    CaseStep.OPENED: words("открыто", "opened"),
    CaseStep.PROMISED: words("клиенту обещан звонок", "a call back was promised"),
    CaseStep.ASSIGNED: words("назначено", "assigned"),
    CaseStep.CLAIMED: words("взято в работу", "claimed"),
    CaseStep.POSTPONED: words("отложено", "postponed"),
    CaseStep.REASSIGNED: words("передано", "reassigned"),
    CaseStep.NOTE: words("заметка", "note"),
    CaseStep.DONE: words("сделано", "done"),
    CaseStep.CLOSED: words("закрыто", "closed"),
    CaseStep.WITHDRAWN: words("отозвано", "withdrawn"),
}
SHORT = 13
"""So much of an id is shown in a list, and is enough to name a case by."""

Json = Annotated[bool, typer.Option("--json", help=words("вывести JSON", "print JSON"))]
CaseId = Annotated[
    str, typer.Argument(help=words("дело: case-…, можно начало", "the case: case-…, or its start"))
]
By = Annotated[
    str, typer.Option(help=words("кто это делает: номер сотрудника", "who does it: the agent's id"))
]
Words = Annotated[str, typer.Option(help=words("пояснение для истории", "a word for the history"))]


@app.callback()
def _cases() -> None:
    """Дела недовольных клиентов."""


@app.command("list", help=words("Открытые дела, сначала самые срочные", "Open cases, the most urgent first"))
def list_cases(
    owner: Annotated[str, typer.Option(help=words("чьи", "whose"))] = "",
    department: Annotated[str, typer.Option(help=words("какого отдела", "of which department"))] = "",
    breached: Annotated[bool, typer.Option(help=words("только просроченные", "only those past due"))] = False,
    everything: Annotated[bool, typer.Option("--all", help=words("и закрытые", "closed ones, too"))] = False,
    as_json: Json = False,
) -> None:
    filters: dict[str, Any] = {"breached": breached}
    if owner:
        filters["owner_id"] = owner
    if department:
        filters["department"] = department
    if everything:
        filters["statuses"] = list(CaseStatus)
    found = _listed(**filters)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    elif found:
        Console(highlight=False).print(_table(found))
    else:
        typer.echo(words("Таких дел нет.", "There are no such cases."))


@app.command(help=words("Дело и всё, что по нему сделано", "A case and all that was done about it"))
def show(case_id: CaseId, as_json: Json = False) -> None:
    full = _resolve(case_id)

    async def read(db: Database, settings: Settings) -> dict[str, Any]:
        return await case_json(db, full, datetime.now(UTC))

    case = ask_or_read("case", read, case_id=full)["case"]
    if as_json:
        typer.echo(json.dumps(case, ensure_ascii=False, indent=2))
    else:
        _print(case)


@app.command(help=words("Взять дело в работу", "Take a case to work at"))
def claim(case_id: CaseId, by: By) -> None:
    told = ask("case_claim", case_id=_resolve(case_id), agent_id=by)
    if not told["claimed"]:
        case = told["case"]
        raise BadInput(
            words(
                f"дело уже {STATUSES[case['status']]}: {case['claimed_by'] or case['owner_id']}",
                f"the case is {case['status']} already: {case['claimed_by'] or case['owner_id']}",
            ),
            hint=words("передать его: otklik cases reassign", "to pass it on: otklik cases reassign"),
        )
    _print(told["case"])


@app.command(
    help=words("Отложить: срок как «2026-12-01 12:00», +3h или +2d", "Postpone: 2026-12-01 12:00, +3h, +2d")
)
def postpone(
    case_id: CaseId,
    until: Annotated[str, typer.Argument(help=words("новый срок, по часам этой машины", "the new deadline"))],
    by: By = "",
    text: Words = "",
) -> None:
    due_at = moment(until, datetime.now().astimezone())
    params = {"due_at": due_at.isoformat(), "agent_id": by, "text": text}
    _print(ask("case_postpone", case_id=_resolve(case_id), **params)["case"])


@app.command(help=words("Передать другому сотруднику", "Pass on to another agent"))
def reassign(
    case_id: CaseId,
    owner: Annotated[str, typer.Argument(help=words("кому: номер сотрудника", "to whom: the agent's id"))],
    by: By = "",
    text: Words = "",
) -> None:
    params = {"owner_id": owner, "agent_id": by, "text": text}
    _print(ask("case_reassign", case_id=_resolve(case_id), **params)["case"])


@app.command(help=words("Закрыть: клиенту помогли, или делать больше нечего", "Close a case"))
def close(
    case_id: CaseId,
    outcome: Annotated[str, typer.Option(help=words("чем кончилось", "how it ended"))] = "",
    nothing: Annotated[
        bool, typer.Option(help=words("делать нечего: клиенту не помогали", "nothing was to be done"))
    ] = False,
    by: By = "",
) -> None:
    status = CaseStatus.CLOSED if nothing else CaseStatus.DONE
    params = {"status": status, "outcome": outcome, "agent_id": by}
    _print(ask("case_close", case_id=_resolve(case_id), **params)["case"])


@app.command(help=words("Написать заметку", "Write a note"))
def note(
    case_id: CaseId,
    text: Annotated[str, typer.Argument(help=words("что сделано", "what was done"))],
    by: By = "",
) -> None:
    _print(ask("case_note", case_id=_resolve(case_id), text=text, agent_id=by)["case"])


def moment(text: str, now: datetime) -> datetime:
    """`+3h`, `+2d`, or a date with a time in this machine's zone. Raises BadInput."""
    if found := re.fullmatch(r"\+(\d{1,4})([hdчд])", text.strip()):
        unit = "hours" if found[2] in "hч" else "days"
        return now + timedelta(**{unit: int(found[1])})
    try:
        given = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadInput(
            words(f"«{text}» не время", f"«{text}» is no time"), hint="2026-12-01 12:00, +3h, +2d"
        ) from error
    return given if given.tzinfo is not None else given.astimezone()


def _listed(**filters: Any) -> list[dict[str, Any]]:
    async def read(db: Database, settings: Settings) -> dict[str, Any]:
        return await cases_json(db, CasesOrder.model_validate(filters), datetime.now(UTC))

    found: list[dict[str, Any]] = ask_or_read("cases", read, **filters)["cases"]
    return found


def _resolve(start: str) -> str:
    """The one case whose id begins so. Raises BadInput."""
    ids = [case["id"] for case in _listed(statuses=list(CaseStatus), limit=5000)]
    found = [start] if start in ids else [each for each in ids if each.startswith(start)]
    if len(found) != 1:
        raise BadInput(
            words(
                f"дел, что начинаются на «{start}»: {len(found)}", f"{len(found)} cases begin with «{start}»"
            ),
            hint=words("какие есть, покажет otklik cases list --all", "see otklik cases list --all"),
        )
    return found[0]


def _table(cases: list[dict[str, Any]]) -> Table:
    table = Table()
    heads = words("Дело|Клиент|Из-за чего|Чьё|Срок|Состояние", "Case|Customer|Reason|Owner|Due|State")
    for head in heads.split("|"):
        table.add_column(head, overflow="fold")
    for case in cases:
        topic = f", {case['topic']}" if case["topic"] else ""
        table.add_row(
            case["id"][:SHORT],
            case["customer"] or case["phone"],
            f"{case['reason']}{topic}" + (f"\n«{case['words']}»" if case["words"] else ""),
            case["owner_id"] or "-",
            _due(case),
            STATUSES[case["status"]] + (f": {case['claimed_by']}" if case["claimed_by"] else ""),
        )
    return table


def _due(case: dict[str, Any]) -> Text:
    if case["due_at"] is None:
        return Text("-")
    due = f"{_local(case['due_at']):%d.%m.%Y %H:%M}"
    return (
        Text(f"{due} {words('просрочено', 'past due')}", style="bold red") if case["breached"] else Text(due)
    )


def _local(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone()


def _print(case: dict[str, Any]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    about = {
        words("Дело", "Case"): case["id"],
        words("Звонок", "Call"): case["call_id"],
        words("Клиент", "Customer"): " ".join(filter(None, (case["customer"], case["phone"]))),
        words("Из-за чего", "Reason"): ", ".join(filter(None, (case["reason"], case["topic"]))),
        words("Слова клиента", "In his words"): f"«{case['words']}»" if case["words"] else "",
        words("Отвечает", "Owner"): " · ".join(filter(None, (case["owner_id"], case["department"]))) or "-",
        words("Обещан звонок", "Callback"): words("да", "yes") if case["callback"] else words("нет", "no"),
        words("Срок", "Due"): _due(case),
        words("Состояние", "State"): " ".join(filter(None, (STATUSES[case["status"]], case["claimed_by"]))),
        words("Чем кончилось", "Outcome"): case["outcome"],
    }
    for name, value in about.items():
        if value:
            console.print(Text.assemble((f"{name:<15}", "dim"), value))
    for step in case.get("history", ()):
        told = ", ".join(filter(None, (STEPS[step["step"]], step["agent_id"], _arrow(step))))
        text = f": {step['text']}" if step["text"] else ""
        console.print(Text.assemble((f"{_local(step['at']):%d.%m.%Y %H:%M} ", "dim"), told + text))


def _arrow(step: dict[str, Any]) -> str:
    """What the step set: whose it is now, and until when."""
    due = f"{words('до', 'by')} {_local(step['due_at']):%d.%m %H:%M}" if step["due_at"] else ""
    return " ".join(filter(None, (f"→ {step['owner_id']}" if step["owner_id"] else "", due)))
