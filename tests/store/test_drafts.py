"""Drafts of surveys, their sources and releases; on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from bot.store import drafts
from bot.store.database import Database
from bot.store.drafts import Saved

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


async def written(db: Database, text: str, revision: int, login: str = "oleg") -> Saved:
    return await drafts.save(db, "nps", text, revision=revision, login=login, now=NOW)


async def test_of_two_who_began_with_the_same_text_the_second_is_told_of_the_first(db: Database) -> None:
    begun = await drafts.begin(db, "nps", "id: nps", started_from="", login="oleg", now=NOW)
    assert begun.done
    assert begun.draft is not None
    assert begun.draft.revision == 1
    both = await asyncio.gather(written(db, "one", 1), written(db, "two", 1, "anna"))
    (won,) = (each.draft for each in both if each.done)
    (lost,) = (each.draft for each in both if not each.done)
    assert won is not None
    assert lost is not None
    assert (won.text, won.revision) == (lost.text, lost.revision)
    assert won.revision == 2
    assert (await drafts.find(db, "nps")) == won


async def test_what_is_there_already_is_no_conflict_and_no_change(db: Database) -> None:
    """A saving whose answer was lost is sent again."""
    await drafts.begin(db, "nps", "id: nps", started_from="", login="oleg", now=NOW)
    assert (await written(db, "one", 1)).done
    again = await written(db, "one", 1)
    assert again.done
    assert again.draft is not None
    assert again.draft.revision == 2


async def test_a_draft_that_is_gone_is_told_and_only_what_was_seen_is_thrown_away(db: Database) -> None:
    await drafts.begin(db, "nps", "id: nps", started_from="", login="oleg", now=NOW)
    await written(db, "one", 1)
    assert not await drafts.throw_away(db, "nps", 1)
    assert await drafts.throw_away(db, "nps", 2)
    assert await written(db, "two", 2) == Saved(False, None)
    assert await drafts.all_drafts(db) == []
    there = await drafts.begin(db, "nps", "two", started_from="", login="anna", now=NOW)
    other = await drafts.begin(db, "nps", "three", started_from="", login="oleg", now=NOW)
    assert (there.done, other.done) == (True, False)
    assert other.draft == there.draft


async def test_releases_are_told_newest_first_and_a_repetition_is_none(db: Database) -> None:
    for minutes, (hash_, kind) in enumerate([("a", "file"), ("a", "file"), ("b", "publish")]):
        at = NOW + timedelta(minutes=minutes)
        await drafts.released(db, "nps", hash_, kind=kind, login="oleg", now=at)  # type: ignore[arg-type]
    found = await drafts.releases(db, "nps")
    assert [(each.hash, each.kind) for each in found] == [("b", "publish"), ("a", "file")]
    assert await drafts.releases(db, "csat") == []


async def test_the_first_file_of_a_version_is_kept(db: Database) -> None:
    await drafts.keep_source(db, "a", "# ours\nid: nps")
    await drafts.keep_source(db, "a", "id: nps")
    assert await drafts.source(db, "a") == "# ours\nid: nps"
    assert await drafts.source(db, "b") is None
    assert await drafts.sourced(db, ["a", "b"]) == {"a"}
