"""Publishing while a node works: calls keep the version they began with, and answers name it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from bot.cli.survey import app
from bot.core.clock import SystemClock
from bot.core.errors import SurveyInvalid, SurveyVersionTaken
from bot.core.events import CallEvent, PromptStarted
from bot.published import Published, published_dir
from bot.publishing import Publisher, checked, fetch, start_tools
from bot.settings import Settings
from bot.settings_load import as_environment, load_settings
from bot.settings_rooms import store_settings
from bot.sim.results import SimReport
from bot.sim.run import run_scenario
from bot.sim.scenario import Scenario
from bot.store import queries
from bot.store.database import Database
from bot.store.tables import SurveyRow
from bot.surveys.lint import NO_TOOLS, RULES, Tools
from bot.surveys.loader import load_survey, survey_hash
from bot.surveys.schema import Survey
from tests.node.heard import stored
from tests.node.running import RunningNode, node_settings

TEXT = """\
id: fresh
version: {version}
language: ru
title: {title}
company: Отклик
record: false
consent: Это голосовой помощник компании {{company}}. Ответы сохраняются.
introduction: Короткий опрос.
questions:
  - id: csat
    kind: csat
    points: 5
    positive: [4, 5]
    ask: Оцените разговор от одного до пяти.
    reask: Назовите число от одного до пяти.
    help: Один — совсем недовольны, пять — полностью довольны.
    no_input_s: 2
  - id: resolved
    kind: yes_no
    ask: Ваш вопрос решён?
    reask: Скажите, пожалуйста, да или нет.
    no_input_s: 2
closings:
  completed: Спасибо!
"""
"""A short survey that lints."""

ANSWERS = {"csat": {"keys": "5"}, "resolved": {"keys": "1"}}


def written(folder: Path, version: int = 1, *, title: str = "Новый") -> Path:
    file = folder / f"fresh_{version}.yaml"
    file.write_text(TEXT.format(version=version, title=title), encoding="utf-8")
    return file


def unsaid(text: str) -> str:
    """Recorded, and the caller is not told."""
    return text.replace("record: false", "record: true")


Publish = Callable[[Settings, Path], Result]


@pytest.fixture
def publish() -> Iterator[Publish]:
    """`otklik survey publish` within this process; logs are put back afterwards."""

    def run(settings: Settings, file: Path) -> Result:
        return CliRunner().invoke(app, ["publish", str(file)], env=as_environment(settings))

    yield run
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()


def publisher(settings: Settings, database: Database) -> Publisher:
    return Publisher(settings, Published(published_dir(settings)), database, SystemClock())


async def released(settings: Settings, survey: Survey) -> str:
    """Frozen and released; its prompts are there, or are made when a call needs them."""
    async with Database.open(store_settings(settings)) as database:
        await database.upgrade()
        publishing = publisher(settings, database)
        digest = await publishing.freeze(survey)
        publishing.release(digest)
        return digest


def test_a_call_keeps_the_version_it_began_with(node: RunningNode, publish: Publish, tmp_path: Path) -> None:
    first = publish(node.settings, written(tmp_path))
    assert first.exit_code == 0, first.output
    old = survey_hash(load_survey(written(tmp_path)))
    newer = load_survey(written(tmp_path, 2))
    publishing: list[asyncio.Task[str]] = []

    def publish_at_the_first_question(event: CallEvent) -> None:
        if isinstance(event, PromptStarted) and event.purpose == "question" and not publishing:
            publishing.append(asyncio.ensure_future(released(node.settings, newer)))

    async def call() -> SimReport:
        script = Scenario.model_validate({"calls": [{"name": "c", "survey": "fresh", "answers": ANSWERS}]})
        async with await node.connect() as control:
            return await run_scenario(script, control, node.sip, None, publish_at_the_first_question)

    async def both() -> tuple[SimReport, SimReport, str]:
        during = await call()
        return during, await call(), await publishing[0]

    during, after, new = asyncio.run(both())
    for report, digest, version in ((during, old, "1"), (after, new, "2")):
        assert report.ok, report
        found = stored(node, report.calls[0].call_id)
        assert found.attempt.survey_id == "fresh"
        assert found.attempt.survey_hash == digest
        assert {answer.question_id for answer in found.answers} == {"csat", "resolved"}
        assert {answer.survey_hash for answer in found.answers} == {digest}
        assert found.survey is not None
        assert (found.survey.id, found.survey.version) == ("fresh", version)


# Without a node -----------------------------------------------------------------------------


def test_the_command_publishes_once_and_refuses_what_is_taken(publish: Publish, tmp_path: Path) -> None:
    settings = node_settings(tmp_path / "var")
    good = written(tmp_path)
    done = publish(settings, good)
    assert done.exit_code == 0, done.output
    assert "fresh v1" in done.stdout
    assert "опубликован" in done.stdout
    assert "Озвучиваю фразы" in done.stderr
    prompts = list((settings.var_dir / "prompts").rglob("*.wav"))
    assert len(prompts) >= 2 * 10, "each prompt at both rates of the lines"

    again = publish(settings, good)
    assert again.exit_code == 0
    assert "ничего не изменилось" in again.stdout

    other = publish(settings, written(tmp_path, title="Другой"))
    assert isinstance(other.exception, SurveyVersionTaken)
    assert other.exception.exit_status == 1
    published = Published(published_dir(settings))
    assert [(each.id, each.version, each.current) for each in published.versions()] == [("fresh", 1, True)]


@pytest.mark.parametrize(
    ("spoil", "status", "told"),
    [
        (lambda text: text.replace("company:", "compny:"), 1, "unknown-key"),
        (unsaid, 1, "consent-without-recording"),
        (lambda text: "\tid: x", 2, "tab"),
    ],
)
def test_nothing_of_a_bad_file_is_published(
    publish: Publish, tmp_path: Path, spoil: Callable[[str], str], status: int, told: str
) -> None:
    settings = node_settings(tmp_path / "var")
    file = tmp_path / "bad.yaml"
    file.write_text(spoil(TEXT.format(version=1, title="Новый")), encoding="utf-8")
    done = publish(settings, file)
    assert done.exit_code == status, done.output
    assert f"{file}:" in done.stdout
    assert told in done.stdout
    assert "Не опубликован" in done.stderr
    assert not published_dir(settings).exists()


async def test_sql_refuses_a_version_that_another_node_froze(tmp_path: Path) -> None:
    """Two nodes with folders of their own, and one database."""
    settings = node_settings(tmp_path / "var")
    survey = load_survey(written(tmp_path))
    async with Database.open(store_settings(settings)) as database:
        await database.upgrade()
        digest = await publisher(settings, database).freeze(survey)
        other = Publisher(settings, Published(tmp_path / "elsewhere"), database, SystemClock())
        changed = load_survey(written(tmp_path, title="Другой"))
        with pytest.raises(SurveyVersionTaken, match=digest[:12]):
            await other.freeze(changed)
        assert Published(tmp_path / "elsewhere").versions() == ()
        chosen, note = await other.to_run(changed)
        assert chosen == survey
        assert "поднимите version" in note
        row = await queries.survey(database, digest)
        assert isinstance(row, SurveyRow)
        assert (row.id, row.version) == ("fresh", "1")


async def test_a_node_runs_what_is_frozen_and_the_newest_that_was_published(tmp_path: Path) -> None:
    settings = node_settings(tmp_path / "var")
    first = load_survey(written(tmp_path))
    async with Database.open(store_settings(settings)) as database:
        await database.upgrade()
        publishing = publisher(settings, database)
        assert await publishing.to_run(first) == (first, "")
        publishing.release(await publishing.freeze(first))
        assert await publishing.to_run(first) == (first, "")
        changed = load_survey(written(tmp_path, title="Другой"))
        chosen, note = await publishing.to_run(changed)
        assert chosen == first
        assert "звонки идут по опубликованному" in note
        third = load_survey(written(tmp_path, 3))
        publishing.release(await publishing.freeze(third))
        chosen, note = await publishing.to_run(first)
        assert chosen == third
        assert "новее файла" in note


def test_a_node_does_not_start_on_a_survey_with_an_error_of_lint(tmp_path: Path) -> None:
    file = written(tmp_path)
    file.write_text(unsaid(file.read_text("utf-8")), encoding="utf-8")
    with pytest.raises(SurveyInvalid) as refusal:
        checked(file)
    assert refusal.value.place is not None
    assert refusal.value.place.line > 0


BAD = sorted((Path(__file__).parents[1] / "data" / "surveys" / "bad").glob("*.yaml"))
RULE_OF = {file: file.read_text("utf-8").split("\n", 1)[0].removeprefix("# expect: ") for file in BAD}
NO_MATTER_OF_A_START = {"transfer-target-unknown"}
"""Agents stand in the database as well, which lint does not read."""


async def test_a_version_of_another_node_is_brought_from_sql(tmp_path: Path) -> None:
    settings = node_settings(tmp_path / "var")
    survey = load_survey(written(tmp_path))
    digest = await released(settings, survey)
    elsewhere = Published(tmp_path / "elsewhere")
    async with Database.open(store_settings(settings)) as database:
        await fetch(digest, elsewhere, database)
        await fetch(digest, elsewhere, database)  # twice at once is once
        with pytest.raises(SurveyInvalid, match="ни на узле, ни в базе"):
            await fetch("0" * 64, elsewhere, database)
    assert elsewhere.by_hash(digest) == survey
    assert elsewhere.current() == {}, "it runs what was queued, and new calls go on as before"


@pytest.fixture(scope="module")
def tools() -> Iterator[Tools]:
    with start_tools(load_settings()) as tools:
        yield tools


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_node_refuses_whatever_lint_does_not_pass(file: Path, tools: Tools) -> None:
    """At once what needs no tools, warnings too; the rest before the version first runs."""
    rule = RULES[RULE_OF[file].partition(":")[0]]
    if rule.id in NO_MATTER_OF_A_START:
        assert checked(file, tools)
        return
    with pytest.raises(SurveyInvalid):
        checked(file, tools if rule.needs else NO_TOOLS)


def test_what_only_a_tool_can_judge_is_left_open_without_it(tools: Tools, tmp_path: Path) -> None:
    """A comment that allows it excuses something, as soon as it can be judged."""
    file = written(tmp_path)
    said = f"{'очень ' * 80}кратко"
    text = file.read_text("utf-8").replace(
        "introduction: Короткий опрос.", f"introduction: Расскажем {said}. # lint: allow prompt-too-long"
    )
    file.write_text(text, encoding="utf-8")
    assert checked(file) == checked(file, tools)
    file.write_text(text.replace(" # lint: allow prompt-too-long", ""), encoding="utf-8")
    checked(file)
    with pytest.raises(SurveyInvalid, match="звучит"):
        checked(file, tools)


def test_what_ships_is_run_by_a_node(tools: Tools) -> None:
    for file in sorted(load_settings().surveys_dir.glob("*.yaml")):
        assert checked(file) == checked(file, tools)
