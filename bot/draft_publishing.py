"""Publishing from the pages: drafts become versions, and calls go back to versions that were.

    draft ─► checked in a process of its own ─► as every file (bot/publishing.py) ─► the draft is gone

A publication goes on when its page is closed; whoever opens the page again sees how far it is. One survey
has one at a time. What the node's end interrupts has released nothing, and the draft is still there.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import structlog

from bot.core.clock import Clock
from bot.core.errors import BadInput, OtklikError
from bot.draft_checks import DraftChecks
from bot.published import Published
from bot.publishing import Publisher, fetch
from bot.settings import Settings
from bot.settings_rooms import speech_settings
from bot.speech.synthesiser import SynthesiserClient
from bot.store import drafts
from bot.store.database import Database
from bot.surveys.loader import from_json
from bot.surveys.schema import Survey
from bot.words import words

log = structlog.get_logger()

State = Literal["checking", "speaking", "done", "failed"]


@dataclass(slots=True)
class Publication:
    """One publication so far. `ready` of `total` prompts are spoken; `problems` are those of lint."""

    survey_id: str
    kind: drafts.Kind
    login: str
    state: State = "checking"
    version: int = 0
    digest: str = ""
    ready: int = 0
    total: int = 0
    message: str = ""
    hint: str = ""
    problems: list[dict[str, Any]] = field(default_factory=list)

    @property
    def over(self) -> bool:
        return self.state in ("done", "failed")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class DraftPublishing:
    """`close` it in the end: what is under way is broken off."""

    def __init__(
        self,
        settings: Settings,
        published: Published,
        publisher: Publisher,
        db: Database,
        checks: DraftChecks,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._published = published
        self._publisher = publisher
        self._db = db
        self._checks = checks
        self._clock = clock
        self._last: dict[str, Publication] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def last(self, survey_id: str) -> Publication | None:
        """Of this survey, since the node was started."""
        return self._last.get(survey_id)

    def forget(self, survey_id: str) -> None:
        """What is over was read."""
        last = self._last.get(survey_id)
        if last is not None and last.over:
            del self._last[survey_id]

    async def publish(self, survey_id: str, revision: int, login: str) -> Publication:
        """Begin with the draft as it was at this revision. Raises BadInput."""
        draft = await drafts.find(self._db, survey_id)
        if draft is None or draft.revision != revision:
            raise BadInput(
                words("черновик уже не тот", "the draft is another one by now"),
                hint=words("откройте опрос снова и проверьте", "open the survey again and look at it"),
            )
        text = draft.text
        return self._begin(Publication(survey_id, "publish", login), self._publish, text, revision)

    async def go_back(self, survey_id: str, digest: str, login: str) -> Publication:
        """Begin to let new calls run a former version. Raises BadInput, SurveyInvalid."""
        known = {row.hash for row in await drafts.versions(self._db, survey_id)}
        if digest not in known:
            raise BadInput(
                words("у этого опроса нет такой версии", "this survey has no such version"),
                hint=words("выберите её из списка", "choose it from the list"),
            )
        await fetch(digest, self._published, self._db)
        return self._begin(Publication(survey_id, "rollback", login), self._go_back, digest)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, new: Publication, work: Any, *given: Any) -> Publication:
        last = self._last.get(new.survey_id)
        if last is not None and not last.over:
            raise BadInput(
                words("этот опрос уже публикуется", "this survey is being published"),
                hint=words("дождитесь конца", "wait for its end"),
            )
        self._last[new.survey_id] = new
        task = asyncio.create_task(self._to_its_end(new, work(new, *given)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return new

    async def _to_its_end(self, publication: Publication, work: Any) -> None:
        try:
            await work
        except OtklikError as error:
            publication.state, publication.message, publication.hint = "failed", error.message, error.hint
            log.warning("survey not published", survey=publication.survey_id, reason=error.message)
        except Exception:
            # The border of a task that nobody waits for: its page must not wait for ever.
            publication.state = "failed"
            publication.message = words("что-то сломалось", "something broke")
            publication.hint = words("причина записана в журнал узла", "the node's log tells why")
            log.exception("survey not published", survey=publication.survey_id)

    async def _publish(self, to: Publication, text: str, revision: int) -> None:
        found = await self._checks.check(text)
        to.problems = found["problems"]
        if to.problems:
            raise BadInput(words("сначала исправьте найденное", "mend first what was found"))
        survey = from_json(found["survey"]["json"])
        to.version = survey.version
        if survey.id != to.survey_id:
            raise BadInput(
                words(
                    f"id: {survey.id}, а черновик — опроса {to.survey_id}",
                    f"id: {survey.id}, and the draft is of {to.survey_id}",
                ),
                hint=words(
                    "верните id; другой опрос начните как новый",
                    "put the id back; begin another as a new one",
                ),
            )
        await self._publisher.require_free(survey)
        beside = self._settings.surveys_dir
        await asyncio.to_thread(self._publisher.keep_recordings, survey, beside)
        await self._speak(to, survey)
        to.digest = await self._publisher.freeze(survey)
        await self._release(to, text)
        await drafts.throw_away(self._db, to.survey_id, revision)  # unless it was written on meanwhile
        to.state = "done"

    async def _go_back(self, to: Publication, digest: str) -> None:
        survey = self._published.by_hash(digest)
        to.version, to.digest = survey.version, digest
        await self._speak(to, survey)
        await self._release(to, "")
        to.state = "done"

    async def _speak(self, to: Publication, survey: Survey) -> None:
        """With the node's own voice. What was spoken before is on disk and takes no time."""
        to.state = "speaking"

        def progress(ready: int, total: int) -> None:
            to.ready, to.total = ready, total

        synthesiser = SynthesiserClient(speech_settings(self._settings).synthesiser)
        try:
            await self._publisher.prepare(survey, synthesiser, progress)
        finally:
            await synthesiser.close()

    async def _release(self, to: Publication, text: str) -> None:
        self._publisher.release(to.digest)
        await self._publisher.note(to.digest, kind=to.kind, login=to.login, text=text)
        log.info("survey released", survey=to.survey_id, version=to.version, kind=to.kind)
