"""From a survey's file to a version that calls can run: one path for a node's start and for the command.

    checked ─► free? ─► recordings kept ─► prompts spoken ─► frozen in SQL and on disk ─► released

A version is released last, so new calls never come upon one that is not ready. Calls that are under
way go on with the version they began with, whatever is released meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bot.core.clock import Clock
from bot.core.context import CallContext
from bot.core.errors import SurveyInvalid
from bot.linting import lint_tools
from bot.planning import line_rates
from bot.published import Published, recordings_dir, version_taken
from bot.settings import Settings
from bot.settings_rooms import speech_settings
from bot.speech.prompts import PromptCache
from bot.speech.recorded import RecordedVoices, keep_recordings
from bot.speech.synthesiser import SynthesiserClient
from bot.store import drafts, queries
from bot.store.database import Database
from bot.surveys.canonical import SHORT_HASH
from bot.surveys.lint import NO_TOOLS, Tools, lint
from bot.surveys.loader import from_json, load_survey, survey_hash, to_json
from bot.surveys.problems import Problem
from bot.surveys.prompts import prompts_by_voice
from bot.surveys.schema import Survey
from bot.words import words

NOBODY = CallContext(call_id="", survey_hash="", direction="inbound")
"""Prompts are prepared for a call that nothing is known of; names are spoken before a call rings."""

Progress = Callable[[int, int], None]
"""Called with how many prompts are ready, of how many."""


def checked(path: Path, tools: Tools = NO_TOOLS) -> Survey:
    """The survey of a file that lints: what `otklik survey lint` does not pass, no node runs.

    Raises SurveyInvalid with all that is found. Without tools it takes no time, and what only they
    can tell (seconds of speech, words of the recogniser) is left open.
    """
    survey = load_survey(path)
    problems = lint(path, tools)
    if problems:
        raise refused(problems)
    return survey


@contextmanager
def start_tools(settings: Settings) -> Iterator[Tools]:
    """What this machine can check of a version that its node has not run yet; each is started when it is
    needed first. Agents stand in the database as well, which lint does not read: no targets."""
    with lint_tools(settings) as tools:
        yield replace(tools, targets=None)


def refused(problems: Sequence[Problem]) -> SurveyInvalid:
    """The first problem with its place; the hint tells all the others."""
    first, *others = problems
    hint = "\n  ".join(filter(None, (first.hint, *map(str, others))))
    return SurveyInvalid(first.message, hint=hint, place=first.place)


class Publisher:
    """Freezes surveys of one node's folder and database."""

    def __init__(self, settings: Settings, published: Published, db: Database, clock: Clock) -> None:
        self._settings = settings
        self._published = published
        self._db = db
        self._clock = clock

    async def require_free(self, survey: Survey) -> None:
        """Raises SurveyVersionTaken where the id and version are frozen with another content."""
        twin = await self._twin(survey)
        if twin is not None:
            raise version_taken(survey, survey_hash(twin))

    def keep_recordings(self, survey: Survey, beside: Path) -> None:
        """Copy the prompts that people recorded from `beside`, the folder of the survey's file.

        Raises AudioInvalid, DiskFull.
        """
        keep_recordings(survey, beside, recordings_dir(self._settings))

    async def prepare(
        self, survey: Survey, synthesiser: SynthesiserClient, progress: Progress | None = None
    ) -> int:
        """Have on disk whatever the survey can say; how many prompts.

        Raises SynthesiserUnavailable, DiskFull.
        """
        folder = recordings_dir(self._settings)
        speech = speech_settings(self._settings)
        cache = PromptCache(RecordedVoices(synthesiser, folder, speech.synthesiser), speech.prompts)
        rates = line_rates(self._settings)
        grouped = prompts_by_voice(survey, NOBODY)
        total = sum(map(len, grouped.values())) * len(rates)
        ready = 0

        def another(_done: int, _of: int, _text: str) -> None:
            nonlocal ready
            ready += 1
            if progress is not None:
                progress(ready, total)

        for voice, texts in grouped.items():
            for rate in rates:
                await cache.prepare(texts, voice=voice, language=survey.language, rate=rate, progress=another)
        return total // len(rates)

    async def freeze(self, survey: Survey) -> str:
        """Keep the version for ever, in SQL for whoever reads its answers and on disk for calls; its hash.

        Raises SurveyVersionTaken, StoreUnavailable.
        """
        self._published.require_free(survey)
        digest = survey_hash(survey)
        holder = await queries.publish_survey(
            self._db,
            hash_=digest,
            survey_id=survey.id,
            version=str(survey.version),
            title=survey.title,
            json=to_json(survey),
            now=self._clock.now(),
        )
        if holder != digest:
            raise version_taken(survey, holder)
        return self._published.freeze(survey)

    def release(self, digest: str) -> None:
        """Let new calls run this version."""
        self._published.release(digest)

    async def note(self, digest: str, *, kind: drafts.Kind = "file", login: str = "", text: str = "") -> None:
        """Keep who let a version run, and the file that it was made from, where that is known."""
        if text:
            await drafts.keep_source(self._db, digest, text)
        survey_id = self._published.by_hash(digest).id
        await drafts.released(self._db, survey_id, digest, kind=kind, login=login, now=self._clock.now())

    async def to_run(self, survey: Survey) -> tuple[Survey, str]:
        """What a node runs for a file at its start, and what there is to say of it, or nothing.

        A frozen version stays what it is, however its file was changed since. A newer one that was published
        by hand is not taken back by a start, and one that was taken back by hand is not let run again.
        """
        twin = await self._twin(survey)
        if twin is not None:
            hint = version_taken(survey, survey_hash(twin))
            return twin, words(
                f"{hint.message}; звонки идут по опубликованному: {hint.hint}",
                f"{hint.message}; calls run what is published: {hint.hint}",
            )
        current = self._published.current().get(survey.id)
        if current is not None:
            running = self._published.by_hash(current)
            if running.version > survey.version:
                return running, words(
                    f"{survey.id}: опубликован v{running.version}, он новее файла (v{survey.version})",
                    f"{survey.id}: v{running.version} is published, newer than the file (v{survey.version})",
                )
            if await self._taken_back(survey, current):
                return running, words(
                    f"{survey.id}: v{survey.version} вернули на v{running.version}, звонки идут по ней",
                    f"{survey.id}: v{survey.version} was taken back to v{running.version}, which calls run",
                )
        return survey, ""

    async def _taken_back(self, survey: Survey, current: str) -> bool:
        """Whether somebody went back from this very version to the current one."""
        digest = survey_hash(survey)
        last = next(iter(await drafts.releases(self._db, survey.id)), None)
        if digest == current or last is None or (last.kind, last.hash) != ("rollback", current):
            return False
        row = await queries.survey(self._db, digest)
        return row is not None and row.published_at <= last.at

    async def _twin(self, survey: Survey) -> Survey | None:
        """The other content of this id and version, from disk or from SQL (of another node)."""
        version = self._published.twin(survey)
        if version is not None:
            return self._published.by_hash(version.digest)
        digest = survey_hash(survey)
        rows = await queries.versions(self._db, survey.id, str(survey.version))
        if not rows or any(row.hash == digest for row in rows):
            return None
        return from_json(rows[-1].json_)


async def fetch(digest: str, published: Published, db: Database) -> None:
    """Have on disk a version that another node of this database published. Calls are queued for whichever
    node has a line, and whoever takes one asks what its attempt was made for.

    Recordings of people are not in SQL (docs/scale.md). Raises SurveyInvalid where nobody published it.
    """
    row = await queries.survey(db, digest)
    if row is None:
        raise SurveyInvalid(
            words(
                f"версии {digest[:SHORT_HASH]} нет ни на узле, ни в базе",
                f"version {digest[:SHORT_HASH]} is neither on this node nor in the database",
            ),
            hint=words("опубликуйте опрос снова: otklik survey publish", "publish it again"),
        )
    published.freeze(from_json(row.json_))
