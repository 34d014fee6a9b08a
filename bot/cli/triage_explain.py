"""`otklik triage explain`: which rule fired in a call on which words, and what came of it; or, for those
who try their word lists, what would fire on a sentence."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from bot.cli.calls import read_call
from bot.cli.live import disposition_word
from bot.cli.surveys import find_survey, name_of
from bot.cli.triage_account import Entry, account, line_of
from bot.core.context import CallContext, TurnSource, UserTurn
from bot.core.endings import Disposition
from bot.core.errors import BadInput, SurveyInvalid
from bot.core.events import CallStarted
from bot.published import Published, published_dir
from bot.settings_load import load_settings
from bot.surveys.conditions import written
from bot.surveys.draft import Draft
from bot.surveys.lexicon import find
from bot.surveys.noticing import heard_in, notice
from bot.surveys.schema import Survey
from bot.surveys.state import FlowState
from bot.surveys.triage import acts_due, rule_due
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.command("explain")
def explain(
    call_id: Annotated[str | None, typer.Argument(help=words("звонок: call-…", "the call: call-…"))] = None,
    text: Annotated[
        str | None, typer.Option("--text", help=words("Слова клиента", "A caller's words"))
    ] = None,
    survey: Annotated[
        str | None,
        typer.Option("--survey", help=words("Опрос: файл, id@версия или хеш", "A survey: file, id or hash")),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help=words("один объект JSON", "one JSON object"))
    ] = False,
) -> None:
    """Какое правило сработало, на каких словах и когда; что предложили, что решил клиент и чем кончилось.

    Звонок читается из базы работающего узла. С --text и --survey звонка не нужно: словами проверяют
    словари и правила. Намерения определяет Rasa, здесь её нет: видно только то, что решают слова.
    """
    if (call_id is None) == (text is None):
        raise BadInput(
            words("нужно одно из двух: звонок или --text", "either a call or --text"),
            hint='otklik triage explain --text "опять долго ждал" --survey nps',
        )
    if text is not None:
        if survey is None:
            raise BadInput(words("к --text нужен --survey", "--text needs --survey"))
        _explain_text(text, _survey(survey), as_json=as_json)
    else:
        _explain_call(str(call_id), as_json=as_json)


def _survey(name: str) -> Survey:
    """By its id the file in the surveys' folder, with the lists as they are now, else as everywhere."""
    file = load_settings().surveys_dir / f"{name}.yaml"
    return find_survey(str(file) if file.exists() else name)


# A call --------------------------------------------------------------------------------------


def _explain_call(call_id: str, *, as_json: bool) -> None:
    settings = load_settings()
    stored, events = asyncio.run(read_call(settings, call_id))
    started = next((event for event in events if isinstance(event, CallStarted)), None)
    survey = None
    if started is not None:
        try:
            survey = Published(published_dir(settings)).by_hash(started.survey_hash)
        except SurveyInvalid:  # of another node, or before the folder was cleaned: rules have no conditions
            survey = None
    entries = account(events, survey)
    if as_json:
        told = {
            "call_id": call_id,
            "survey": None if survey is None else name_of(survey),
            "disposition": stored["disposition"],
            "entries": [entry.as_json() for entry in entries],
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    heading = call_id if survey is None else f"{call_id} · {name_of(survey)}"
    console.print(Text(heading, style="bold"))
    _print(console, entries)
    if stored["disposition"]:
        end = disposition_word(Disposition(stored["disposition"]))
        console.print(words(f"Исход: {end}", f"Outcome: {end}"), style="bold")


def _print(console: Console, entries: list[Entry]) -> None:
    if not entries:
        console.print(words("Ни одно правило не сработало.", "No rule fired."))
    for entry in entries:
        console.print(line_of(entry))


# A sentence ----------------------------------------------------------------------------------


def _explain_text(text: str, survey: Survey, *, as_json: bool) -> None:
    told = tried(text, survey)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(f"«{text}» · {name_of(survey)}", style="bold"))
    for each in told["signals"]:
        topic = f" ({each['topic']})" if each["topic"] else ""
        said = f"«{each['words']}»"
        console.print(
            Text.assemble("  ", (f"{each['signal']}{topic}", "magenta"), f" — {each['rule']}: {said}")
        )
    for each in told["denied"]:
        not_counted = words("не считается, отрицание или «бы»", "not counted: denied or supposed")
        console.print(Text(f"  {each['rule']}: «{each['words']}» — {not_counted}", style="dim"))
    if not told["signals"]:
        console.print(words("  Слова ничего не подняли.", "  The words raise nothing."))
    for each in told["rules"]:
        does = words("сработает правило", "rule fires")
        console.print(
            Text.assemble(f"  {does} ", (each["rule"], "bold"), f": {each['does']} ({each['when']})")
        )


def tried(text: str, survey: Survey) -> dict[str, Any]:
    """What these words alone raise in a survey, what is denied in them, and which rules act on that."""
    turn = UserTurn(source=TurnSource.SPEECH, text=text)
    context = CallContext(call_id="", survey_hash="", direction="outbound")
    draft = Draft(survey, FlowState(context=context))
    notice(draft, turn, heard_in(survey, turn), complained=False)
    signals = [
        {
            "signal": raised.name,
            "topic": raised.topic.value if raised.topic else None,
            "rule": raised.rule,
            "words": next(
                (found.words for found in find(survey.dictionaries, text) if found.rule == raised.rule), text
            ),
        }
        for raised in draft.state.signals
    ]
    counted = {found.rule for found in find(survey.dictionaries, text)}
    denied = [
        {"rule": found.rule, "phrase": found.phrase, "words": found.words}
        for found in find(survey.dictionaries, text, denied=True)
        if found.rule not in counted
    ]
    due = [*acts_due(survey, draft.state)]
    offered = rule_due(survey, draft.state, None)
    rules = [*due, *([offered] if offered is not None else [])]
    return {
        "text": text,
        "survey": name_of(survey),
        "signals": signals,
        "denied": denied,
        "rules": [
            {"rule": rule.id, "does": str(rule.offer or rule.do), "when": written(rule.when)}
            for rule in rules
        ],
    }
