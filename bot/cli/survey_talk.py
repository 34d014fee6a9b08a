"""`otklik survey talk`: take a survey by keyboard, against the real Rasa, or play a script of turns."""

from __future__ import annotations

import asyncio
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import aiohttp
import typer
from rich.console import Console
from rich.text import Text

from bot.call.dialogue import RasaDialogue
from bot.cli.live import disposition_word
from bot.cli.surveys import SURVEY_HELP, find_survey, name_of
from bot.cli.talking import answers_table, styled
from bot.cli.voicing import Voicing, voicing
from bot.core.context import CallContext, Person
from bot.core.directives import TurnReply
from bot.core.errors import BadInput, Place
from bot.core.ids import new_id
from bot.logs import configure_logs
from bot.settings_load import load_settings
from bot.surveys.loader import survey_hash, to_json
from bot.surveys.schema import Survey
from bot.surveys.talking import NOBODY, Course, spoken_in, turn_of
from bot.words import words
from dialogue.running import RunningDialogue, running_dialogue
from dialogue.training import train

app = typer.Typer(add_completion=False)

NOT_ENDED = 1
"""Exit status where a script's lines were over before the call was."""

INTERRUPTED = 130
PATIENCE_S = 20.0
"""Nobody waits on a line here, and the machine may be busy with the start of Rasa."""

Lines = Callable[[], str | None]
"""The next turn as it was typed; None where there are no more."""


@app.command("talk")
def talk(
    survey: Annotated[str, typer.Argument(help=SURVEY_HELP)],
    script: Annotated[
        Path | None,
        typer.Option(
            "--script", help=words("Файл с репликами, по одной в строке", "A file, one turn a line")
        ),
    ] = None,
    say: Annotated[
        bool, typer.Option("--say", help=words("Произносить слова бота", "Speak what the bot says"))
    ] = False,
    say_to: Annotated[
        Path | None,
        typer.Option(
            "--say-to", help=words("Писать слова бота в WAV, в эту папку", "Write WAVs into a folder")
        ),
    ] = None,
    customer: Annotated[
        str, typer.Option("--customer", help=words("Имя клиента", "The customer's first name"))
    ] = "",
) -> None:
    """Пройти опрос с клавиатуры: то же понимание и те же правила, что в звонке.

    Слова — ответ, пустая строка — молчание, #5 — клавиша, ! — сотрудник не ответил, Ctrl-D — положить
    трубку. Со скриптом код возврата 1, если строки кончились раньше разговора.
    """
    configure_logs("warning")
    chosen = find_survey(survey)
    turns, typed = _lines(script)
    beside = Path(survey).parent if Path(survey).exists() else None
    console = Console(highlight=False, soft_wrap=True)
    context = CallContext(
        call_id=new_id("call"),
        survey_hash=survey_hash(chosen),
        direction="outbound",
        customer=Person(first_name=customer),
    )
    with ExitStack() as stack:
        rasa = stack.enter_context(_rasa(chosen))
        runner = stack.enter_context(asyncio.Runner())
        parts = AsyncExitStack()
        stack.callback(lambda: runner.run(parts.aclose()))
        desk = runner.run(_desk(parts, rasa, chosen, context, beside, say=say, say_to=say_to))
        _greet(console, chosen)
        course, how = _talk(runner, desk, context, turns, console, typed=typed)
    _sum_up(console, course, desk.voice)
    raise typer.Exit(_status(how, typed=typed))


class Desk:
    """What a talk goes through: Rasa, and a voice where one is wanted."""

    def __init__(self, dialogue: RasaDialogue, voice: Voicing | None) -> None:
        self.dialogue = dialogue
        self.voice = voice


async def _desk(
    parts: AsyncExitStack,
    rasa: RunningDialogue,
    survey: Survey,
    context: CallContext,
    beside: Path | None,
    *,
    say: bool,
    say_to: Path | None,
) -> Desk:
    http = await parts.enter_async_context(aiohttp.ClientSession())
    voice = None
    if say or say_to is not None:
        voice = await parts.enter_async_context(voicing(load_settings(), survey, context, beside, say_to))
    return Desk(RasaDialogue(rasa.rasa_url, http, token=rasa.token, timeout_s=PATIENCE_S), voice)


def _talk(
    runner: asyncio.Runner,
    desk: Desk,
    context: CallContext,
    turns: Lines,
    console: Console,
    *,
    typed: bool,
) -> tuple[Course, str]:
    """The call to its end; and how it was left: `ended`, `hung up` or `interrupted`."""
    course = Course()
    try:
        reply = runner.run(desk.dialogue.start(context))
        while True:
            course.take(reply)
            _show(runner, desk, reply, console)
            if course.ended:
                return course, "ended"
            if course.handing_over and typed:
                console.print(
                    words("Сотрудник взял трубку? Enter — да, ! — нет.", "Answered? Enter yes, ! no."),
                    style="dim",
                )
            line = turns()
            if course.handing_over and (line or "").strip() != NOBODY:
                course.joined()
                return course, "ended"
            if line is None:
                return course, "hung up"
            if not typed:
                console.print(Text(f"> {line}", style="dim"))
            reply = runner.run(desk.dialogue.turn(context.call_id, turn_of(line)))
    except KeyboardInterrupt:
        return course, "interrupted"


def _show(runner: asyncio.Runner, desk: Desk, reply: TurnReply, console: Console) -> None:
    for line in styled(reply):
        console.print(line)
    if desk.voice is not None:
        for text in spoken_in(reply):
            runner.run(desk.voice.speak(text))


@contextmanager
def _rasa(survey: Survey) -> Iterator[RunningDialogue]:
    """A Rasa of our own that knows the survey; trained before where its data changed."""
    progress = Console(stderr=True, highlight=False)
    train(lambda step: progress.print(f"  Rasa: {step}", markup=False))
    with tempfile.TemporaryDirectory(prefix="otklik-") as folder, ExitStack() as servers:
        surveys = Path(folder)
        (surveys / f"{survey_hash(survey)}.json").write_text(to_json(survey), encoding="utf-8")
        with progress.status(words("Запускаю Rasa…", "Starting Rasa…")):
            running = servers.enter_context(running_dialogue(surveys, surveys / "log.txt"))
        yield running


def _typed() -> str:
    """A line of the terminal. Raises EOFError, and KeyboardInterrupt whenever Ctrl-C comes: `input` alone
    would notice one that falls between its prompt and its read only with the next line, so the line is
    waited for beside a socket that every signal writes to."""
    woken, wakes = socket.socketpair()
    with woken, wakes:
        wakes.setblocking(False)
        before = signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        try:
            typer.echo("> ", nl=False)
            select.select([sys.stdin, woken], [], [])
            return input()
        finally:
            signal.set_wakeup_fd(before)


def _lines(script: Path | None) -> tuple[Lines, bool]:
    """Where turns come from, and whether a person types them. Raises BadInput."""
    if script is None and sys.stdin.isatty():

        def ask() -> str | None:
            try:
                return _typed()
            except EOFError:
                typer.echo("")  # the line that Ctrl-D left open
                return None

        return ask, True
    try:
        text = sys.stdin.read() if script is None or str(script) == "-" else script.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            words(f"скрипт не читается: {error}", f"the script cannot be read: {error}"),
            hint=words("нужен текст в UTF-8, по реплике в строке", "UTF-8 text, one turn a line"),
            place=Place(str(script)),
        ) from error
    lines = iter(text.splitlines())
    return lambda: next(lines, None), False


def _greet(console: Console, survey: Survey) -> None:
    console.print(Text(f"{survey.title} · {name_of(survey)}", "bold"))


def _sum_up(console: Console, course: Course, voice: Voicing | None) -> None:
    if course.disposition is None:
        console.print(words("Разговор не окончен.", "The call did not end."), style="yellow")
    else:
        console.print(Text(words("Исход: ", "Outcome: ") + disposition_word(course.disposition), "cyan"))
    if course.answers:
        console.print(answers_table(course))
    if course.signals:
        console.print(words("Сигналы: ", "Signals: ") + ", ".join(course.signals), style="magenta")
    if course.matters:
        console.print(words("Случаи и пометки: ", "Cases and notes: ") + ", ".join(course.matters))
    if voice is not None and voice.folder is not None:
        console.print(
            words(f"Слова бота записаны в {voice.folder}", f"What the bot said is in {voice.folder}"),
            style="dim",
        )


def _status(how: str, *, typed: bool) -> int:
    if how == "interrupted":
        return INTERRUPTED
    return NOT_ENDED if how == "hung up" and not typed else 0
