"""Surveys in the console over HTTP: read, begun, written by two, linted; who may what."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData

from bot.accounts.roles import Role
from bot.core.clock import ManualClock
from bot.draft_process import check
from bot.store import drafts
from bot.surveys.lint import NO_TOOLS
from bot.web.parts import Parts
from bot.web.studio.lines import differing, value_of, with_value
from tests.web.conftest import HTML, Client, csrf_of, sign_in
from tests.web.studio import NPS, audited, begun, control, nps, ops, page, save, send

__all__ = ["control", "nps", "ops"]


# Reading ---------------------------------------------------------------------------------------


async def test_the_list_tells_what_runs_since_when_and_what_is_written(
    client: Client, parts: Parts, ops: str, nps: str
) -> None:
    listed = await page(client, "/surveys")
    assert "NPS после обращения" in listed
    assert "v3" in listed
    assert "из файла" in listed
    await begun(client, ops, nps)
    assert "oleg" in await page(client, "/surveys")


async def test_an_empty_list_says_what_to_do(client: Client, ops: str) -> None:
    assert "Опросов ещё нет" in await page(client, "/surveys")


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AUDITOR])
async def test_observers_read_and_change_nothing(client: Client, parts: Parts, nps: str, role: Role) -> None:
    await sign_in(client, parts, role)
    csrf = await csrf_of(client, "/surveys")
    shown = await page(client, "/surveys/nps")
    assert "Насколько вероятно" in shown
    assert "<textarea" not in shown
    assert "/surveys/nps/publish" not in shown
    await page(client, f"/surveys/nps/versions/{nps}.yaml")
    for path in ("begin", "save", "lint", "upload", "discard", "publish", "rollback", "talks", "publication"):
        await send(client, f"/surveys/nps/{path}", csrf, status=403)
    await page(client, "/surveys/new", status=403)
    assert await audited(parts.db) == []


async def test_what_is_not_there_is_not_found(client: Client, ops: str, nps: str) -> None:
    for path in ("csat", "Bad-Id", "nps/draft.yaml", "nps/versions/0.yaml", "nps/diff?to=draft"):
        await page(client, f"/surveys/{path}", status=404)


async def test_the_schema_is_there_for_the_editor(client: Client, ops: str) -> None:
    async with client.get("/surveys/schema.json") as reply:
        assert "questions" in (await reply.json())["properties"]


# Writing ---------------------------------------------------------------------------------------


async def test_a_draft_of_a_version_has_the_next_number_and_all_comments(
    client: Client, parts: Parts, ops: str, nps: str
) -> None:
    text = await begun(client, ops, nps)
    assert text == NPS.read_text("utf-8").replace("version: 3", "version: 4")
    shown = await page(client, "/surveys/nps")
    assert "Насколько вероятно" in shown.partition("<textarea")[2]
    again, _ = await send(client, "/surveys/nps/begin", ops, 409, **{"from": nps})
    assert "уже есть черновик" in again
    assert await audited(parts.db) == [("oleg", "begin", "nps")]


async def test_a_saving_is_taken_and_a_sitting_is_one_row_of_the_audit_log(
    client: Client, parts: Parts, ops: str, nps: str, clock: ManualClock
) -> None:
    text = await begun(client, ops, nps)
    clock.advance(timedelta(minutes=11).total_seconds())
    for revision in (1, 2, 3):
        status, told = await save(client, ops, f"{text}# {revision}\n", revision)
        assert (status, told["revision"]) == (200, revision + 1)
        clock.advance(5)
    clock.advance(timedelta(minutes=11).total_seconds())
    await save(client, ops, text, 4)
    edits = [action for _, action, _ in await audited(parts.db)]
    assert edits == ["begin", "edit", "edit"]


async def test_of_two_editors_the_second_is_told_and_neither_text_is_lost(
    client: Client, parts: Parts, ops: str, nps: str, clock: ManualClock
) -> None:
    text = await begun(client, ops, nps)
    theirs = text.replace("NPS после обращения", "Оценка обращения")
    await drafts.save(parts.db, "nps", theirs, revision=1, login="anna", now=clock.now())
    status, told = await save(client, ops, text + "# моё\n", 1)
    assert status == 409
    assert told["theirs"]["by"] == "anna"
    assert told["theirs"]["text"] == theirs
    assert ["+", "title: Оценка обращения"] in told["theirs"]["lines"]
    assert ["-", "# моё"] in told["theirs"]["lines"]
    status, told = await save(client, ops, text + "# моё\n", told["theirs"]["revision"])
    assert (status, told["revision"]) == (200, 3)

    plain, _ = await send(client, "/surveys/nps/save", ops, status=409, text=f"{text}# форма\n", revision="1")
    assert "# форма" in plain.partition("<textarea")[2]
    assert "# моё" in plain.partition("Чем отличается чужой черновик")[2]
    await send(client, "/surveys/nps/save", ops, text=f"{text}# форма\r\n", revision="3")
    draft = await drafts.find(parts.db, "nps")
    assert draft is not None
    assert draft.text == f"{text}# форма\n"


async def test_a_draft_that_was_published_meanwhile_can_be_begun_again_with_my_text(
    client: Client, parts: Parts, ops: str, nps: str
) -> None:
    text = await begun(client, ops, nps)
    await drafts.throw_away(parts.db, "nps", 1)
    assert await save(client, ops, text + "# моё\n", 1) == (409, {"theirs": None})
    assert (await save(client, ops, text + "# моё\n", 0))[0] == 200
    draft = await drafts.find(parts.db, "nps")
    assert draft is not None
    assert draft.text.endswith("# моё\n")


@pytest.mark.parametrize(
    "given", [{"text": "x"}, {"text": 1, "revision": 1}, {"text": "x", "revision": True}]
)
async def test_a_saving_that_makes_no_sense_is_refused(
    client: Client, ops: str, nps: str, given: dict[str, Any]
) -> None:
    async with client.post("/surveys/nps/save", json=given, headers={"X-CSRF-Token": ops}) as reply:
        assert reply.status == 400


async def test_lint_marks_lines_as_one_types(client: Client, ops: str, nps: str) -> None:
    bad = NPS.read_text("utf-8").replace("kind: yes_no", "kind: yes_on", 1)
    line = bad.split("\n").index("    kind: yes_on") + 1
    async with client.post("/surveys/nps/lint", json={"text": bad}, headers={"X-CSRF-Token": ops}) as reply:
        told = await reply.json()
    assert [(each["line"], each["level"]) for each in told["problems"]] == [(line, "error")]
    assert told["survey"] is None


async def test_a_file_takes_the_draft_s_place_and_a_bad_one_does_not(
    client: Client, parts: Parts, ops: str, nps: str
) -> None:
    def form(content: bytes, revision: int) -> FormData:
        data = FormData({"csrf": ops, "revision": str(revision)})
        data.add_field("file", content, filename="nps.yaml", content_type="application/yaml")
        return data

    async def upload(content: bytes, revision: int) -> tuple[int, str]:
        sent = form(content, revision)
        async with client.post(
            "/surveys/nps/upload", data=sent, headers=HTML, allow_redirects=False
        ) as reply:
            return reply.status, await reply.text()

    assert (await upload("id: nps\r\ntitle: Мой\r\n".encode("utf-8-sig"), 0))[0] == 303
    draft = await drafts.find(parts.db, "nps")
    assert draft is not None
    assert draft.text == "id: nps\ntitle: Мой\n"
    for content, told in ((b"", "пуст"), ("id: nps".encode("utf-16"), "UTF-8"), (b"x" * 70_000, "64 КиБ")):
        status, shown = await upload(content, 1)
        assert status == 422
        assert told in shown
    assert (await upload(b"id: nps\n", 7))[0] == 409
    assert ("oleg", "upload", "nps") in await audited(parts.db)


async def test_only_a_draft_that_was_seen_is_thrown_away(
    client: Client, parts: Parts, ops: str, nps: str, clock: ManualClock
) -> None:
    text = await begun(client, ops, nps)
    await drafts.save(parts.db, "nps", text + "#", revision=1, login="anna", now=clock.now())
    shown, _ = await send(client, "/surveys/nps/discard", ops, status=409, revision="1")
    assert "с тех пор изменили" in shown
    await send(client, "/surveys/nps/discard", ops, revision="2")
    assert await drafts.find(parts.db, "nps") is None
    assert ("oleg", "discard", "nps") in await audited(parts.db)


async def test_a_new_survey_begins_with_one_that_ships(client: Client, parts: Parts, ops: str) -> None:
    assert "csat_en" in await page(client, "/surveys/new")
    title = 'Оценка "доставки": быстро'
    _, headers = await send(client, "/surveys/new", ops, id="delivery", title=title, template="csat")
    assert headers["Location"] == "/surveys/delivery"
    draft = await drafts.find(parts.db, "delivery")
    assert draft is not None
    made = check(draft.text, Path("/nonexistent"), NO_TOOLS)
    assert made["problems"] == []
    assert (made["survey"]["id"], made["survey"]["version"], made["survey"]["title"]) == (
        "delivery",
        1,
        title,
    )
    assert await audited(parts.db) == [("oleg", "create", "delivery")]
    for taken in ("delivery", "new", "Имя", ""):
        shown, _ = await send(client, "/surveys/new", ops, status=400, id=taken, template="csat")
        assert 'role="alert"' in shown


# Text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("id: nps\nversion: 3\n", "id: nps\nversion: 4\n"),
        ("version:   3   # наша\n", "version: 4   # наша\n"),
        ("id: nps\n", "version: 4\nid: nps\n"),
        ("questions:\n  - version: 3\n", "version: 4\nquestions:\n  - version: 3\n"),
    ],
)
def test_a_value_changes_and_nothing_else(text: str, changed: str) -> None:
    assert with_value(text, "version", "4") == changed
    assert value_of(changed, "version") == "4"


def test_lines_that_differ_have_some_around_them() -> None:
    before = "\n".join("abcdefghij")
    assert differing(before, before) == []
    found = differing(before, before.replace("e", "E"), around=1)
    assert found == [("@", ""), (" ", "d"), ("-", "e"), ("+", "E"), (" ", "f")]
