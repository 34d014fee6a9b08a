"""From a draft to what calls run, and back: a database and folders, without a node and without a voice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot import draft_publishing
from bot.core.audio import Pcm
from bot.core.clock import ManualClock
from bot.core.errors import BadInput, SurveyInvalid, SynthesiserUnavailable
from bot.draft_checks import DraftChecks
from bot.draft_process import check, compare
from bot.draft_publishing import DraftPublishing, Publication
from bot.published import Published, published_dir
from bot.publishing import Publisher
from bot.settings import Settings
from bot.settings_rooms import store_settings
from bot.store import drafts
from bot.store.database import Database
from bot.surveys.lint import NO_TOOLS
from bot.surveys.loader import load_survey, survey_hash
from tests.node.running import node_settings
from tests.node.test_publishing import TEXT, written


class Voice:
    """In place of the synthesiser's client: a short tone for each text, or none."""

    name = "tone"
    broken = False

    def __init__(self, settings: object) -> None:
        self._settings = settings

    async def speak(self, text: str, *, voice: str = "", language: str = "ru", rate: int = 8000) -> Pcm:
        if self.broken:
            raise SynthesiserUnavailable("нет голоса", hint="запустите узел")
        return Pcm(b"\x10\x00" * (rate // 10), rate)

    async def close(self) -> None:
        """It has no connection."""


class Checks(DraftChecks):
    """The same answers without a process of their own, and without a voice to measure with."""

    async def check(self, text: str, *, thorough: bool = True) -> dict[str, Any]:
        return check(text, self._settings.surveys_dir, NO_TOOLS)


class Studio:
    def __init__(self, settings: Settings, db: Database) -> None:
        self.db = db
        self.clock = ManualClock()
        self.published = Published(published_dir(settings))
        self.publisher = Publisher(settings, self.published, db, self.clock)
        self.publishing = DraftPublishing(
            settings, self.published, self.publisher, db, Checks(settings), self.clock
        )

    async def draft(self, text: str) -> int:
        begun = await drafts.begin(
            self.db, "fresh", text, started_from="", login="oleg", now=self.clock.now()
        )
        assert begun.draft is not None
        return begun.draft.revision

    async def publish(self, text: str) -> Publication:
        self.clock.advance(60)
        return await self.over(await self.publishing.publish("fresh", await self.draft(text), "oleg"))

    async def over(self, publication: Publication) -> Publication:
        async with asyncio.timeout(20):
            await asyncio.gather(*self.publishing._tasks)
        assert publication.over
        return publication

    def runs(self) -> int:
        return self.published.by_id("fresh")[1].version


@pytest.fixture
async def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Studio]:
    monkeypatch.setattr(draft_publishing, "SynthesiserClient", Voice)
    settings = node_settings(tmp_path / "var")
    async with Database.open(store_settings(settings)) as db:
        await db.upgrade()
        made = Studio(settings, db)
        yield made
        await made.publishing.close()


def text(version: int = 1, title: str = "Новый") -> str:
    return TEXT.format(version=version, title=title)


async def test_a_draft_is_spoken_frozen_released_and_gone(studio: Studio, tmp_path: Path) -> None:
    done = await studio.publish(text())
    assert (done.state, done.problems) == ("done", [])
    assert done.ready == done.total > 10
    assert studio.runs() == 1
    assert done.digest == survey_hash(load_survey(written(tmp_path)))
    assert await drafts.source(studio.db, done.digest) == text()
    assert await drafts.find(studio.db, "fresh") is None
    (release,) = await drafts.releases(studio.db, "fresh")
    assert (release.hash, release.login, release.kind) == (done.digest, "oleg", "publish")


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        (text().replace("company:", "compny:"), "исправьте"),
        (text().replace("record: false", "record: true"), "исправьте"),
        (text().replace("id: fresh", "id: other", 1), "а черновик — опроса fresh"),
    ],
)
async def test_what_does_not_pass_is_not_published_and_stays_a_draft(
    studio: Studio, spoilt: str, told: str
) -> None:
    failed = await studio.publish(spoilt)
    assert failed.state == "failed"
    assert told in failed.message
    assert bool(failed.problems) == ("исправьте" in told)
    with pytest.raises(SurveyInvalid):
        studio.runs()
    draft = await drafts.find(studio.db, "fresh")
    assert draft is not None
    assert draft.text == spoilt


async def test_a_version_that_is_taken_and_a_voice_that_is_away_are_told(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    await studio.publish(text())
    taken = await studio.publish(text(title="Другой"))
    assert taken.state == "failed"
    assert "version" in taken.message + taken.hint
    await drafts.throw_away(studio.db, "fresh", 1)
    monkeypatch.setattr(Voice, "broken", True)
    dumb = await studio.publish(text(2).replace("Спасибо!", "Благодарим!"))
    assert (dumb.state, dumb.message, dumb.hint) == ("failed", "нет голоса", "запустите узел")
    assert studio.runs() == 1


async def test_what_was_written_meanwhile_is_not_lost(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    revision = await studio.draft(text())
    begun = await studio.publishing.publish("fresh", revision, "oleg")
    with pytest.raises(BadInput, match="уже публикуется"):
        await studio.publishing.publish("fresh", revision, "anna")
    await drafts.save(studio.db, "fresh", text(2), revision=revision, login="anna", now=studio.clock.now())
    await studio.over(begun)
    draft = await drafts.find(studio.db, "fresh")
    assert draft is not None
    assert (draft.text, draft.edited_by) == (text(2), "anna")
    with pytest.raises(BadInput, match="уже не тот"):
        await studio.publishing.publish("fresh", revision, "oleg")
    assert studio.runs() == 1


async def test_a_former_version_runs_again_and_a_start_does_not_undo_it(
    studio: Studio, tmp_path: Path
) -> None:
    first = await studio.publish(text(1))
    second = await studio.publish(text(2))
    assert studio.runs() == 2
    studio.clock.advance(60)
    back = await studio.over(await studio.publishing.go_back("fresh", first.digest, "anna"))
    assert (back.state, back.version, studio.runs()) == ("done", 1, 1)
    newest = next(iter(await drafts.releases(studio.db, "fresh")))
    assert (newest.kind, newest.login, newest.hash) == ("rollback", "anna", first.digest)
    with pytest.raises(BadInput, match="нет такой версии"):
        await studio.publishing.go_back("fresh", "0" * 64, "anna")

    file = load_survey(written(tmp_path, 2))
    assert survey_hash(file) == second.digest
    chosen, note = await studio.publisher.to_run(file)
    assert chosen.version == 1
    assert "вернули на v1" in note
    newer = load_survey(written(tmp_path, 3))
    assert await studio.publisher.to_run(newer) == (newer, ""), "a file that came later is taken"


async def test_what_is_over_is_told_until_it_is_read(studio: Studio) -> None:
    await studio.publish(text())
    last = studio.publishing.last("fresh")
    assert last is not None
    assert last.as_json()["state"] == "done"
    studio.publishing.forget("fresh")
    assert studio.publishing.last("fresh") is None


# The process of its own ------------------------------------------------------------------------


async def test_checks_come_from_a_process_that_ends_when_nobody_asks(tmp_path: Path) -> None:
    checks = DraftChecks(node_settings(tmp_path / "var"), idle_s=0.05)
    try:
        good = await checks.check(text(), thorough=False)
        assert good["problems"] == []
        assert good["survey"]["version"] == 1
        bad = await checks.check(text().replace("kind: csat", "kind: cast"), thorough=False)
        assert [(each["line"], each["level"], each["rule"]) for each in bad["problems"]] == [
            (11, "error", "bad-value")
        ]
        assert bad["survey"] is None
        process = checks._process
        assert process is not None
        async with asyncio.timeout(10):
            await process.wait()
    finally:
        await checks.close()


def test_a_draft_is_read_as_if_it_lay_among_the_surveys(tmp_path: Path) -> None:
    """Own dictionaries are found, and other surveys are no matter of its."""
    (tmp_path / "dictionaries").mkdir()
    own = "extend: complaints\nlists:\n  - id: waiting\n    words: [жду с утра]\n"
    (tmp_path / "dictionaries" / "own.yaml").write_text(own, encoding="utf-8")
    (tmp_path / "broken.yaml").write_text("id: [", encoding="utf-8")
    with_own = check(text(), tmp_path, NO_TOOLS)
    (tmp_path / "dictionaries" / "own.yaml").unlink()
    without = check(text(), tmp_path, NO_TOOLS)
    assert with_own["problems"] == without["problems"] == []
    assert with_own["survey"]["hash"] != without["survey"]["hash"]


def test_a_comparison_speaks_the_reader_s_language(tmp_path: Path) -> None:
    old, new = (
        check(each, tmp_path, NO_TOOLS)["survey"]["json"]
        for each in (text(), text(2).replace("Ваш вопрос решён?", "Вопрос решён?"))
    )
    russian, english = (compare(old, new, language) for language in ("ru", "en"))
    assert russian["effect"] == english["effect"] == "comparable"
    assert [each["what"] for each in russian["changes"]] == ["вопрос resolved · формулировка"]
    assert [each["what"] for each in english["changes"]] == ["question resolved · wording"]
    assert russian["changes"][0]["before"] == "Ваш вопрос решён?"
    assert russian["aside"] == [{"what": "версия", "before": "1", "after": "2"}]
    assert compare(old, old, "ru")["same"]
