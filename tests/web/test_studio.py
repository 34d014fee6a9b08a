"""Surveys in the console over HTTP: written by two, linted, compared, tried, published; who may what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData
from sqlmodel import col, select

from bot.accounts.roles import Role
from bot.core.clock import ManualClock
from bot.core.errors import BadInput, DialogueUnavailable
from bot.draft_process import check, compare
from bot.settings import PROJECT
from bot.store import drafts, queries
from bot.store.account_tables import AuditRow
from bot.store.database import Database
from bot.surveys.lint import NO_TOOLS
from bot.surveys.loader import load_survey, survey_hash, to_json
from bot.web.parts import Parts
from bot.web.studio.lines import differing, value_of, with_value
from tests.published import publish
from tests.web.conftest import HTML, Client, Orders, csrf_of, sign_in

NPS = PROJECT / "survey_defs" / "nps.yaml"
TALK: dict[str, Any] = {
    "talk_id": "call-1",
    "survey_id": "nps",
    "lines": [
        {"kind": "said", "text": "Оцените <b>нас</b>", "sound": 0},
        {"kind": "caller", "text": "пять", "sound": None},
        {"kind": "stored", "text": "nps = 5", "sound": None},
    ],
    "keypad": {"layout": "list", "keys": [{"keys": "1", "label": "Да", "word": ""}], "at_most": None},
    "handing_over": False,
    "disposition": None,
    "answers": [{"question": "nps", "kind": "nps", "value": "5", "status": "answered", "heard": "пять"}],
    "signals": [],
    "matters": [],
}


class Node(Orders):
    """Checks and compares as the node does, without a process; the rest is noted."""

    async def __call__(self, do: str, **params: Any) -> dict[str, Any]:
        answer = await super().__call__(do, **params)
        match do:
            case "survey_check":
                return check(params["text"], NPS.parent, NO_TOOLS)
            case "survey_compare":
                return compare(**params)
            case "survey_progress":
                return answer or {"publication": None}
        return answer


@pytest.fixture
def control() -> Orders:
    return Node()


@pytest.fixture
async def nps(parts: Parts, clock: ManualClock) -> str:
    """The shipped survey, published from its file; its hash."""
    survey = load_survey(NPS)
    digest = publish(parts.published, survey)
    await queries.publish_survey(
        parts.db,
        hash_=digest,
        survey_id="nps",
        version=str(survey.version),
        title=survey.title,
        json=to_json(survey),
        now=clock.now(),
    )
    await drafts.keep_source(parts.db, digest, NPS.read_text("utf-8"))
    await drafts.released(parts.db, "nps", digest, kind="file", login="", now=clock.now())
    return digest


@pytest.fixture
async def ops(client: Client, parts: Parts) -> str:
    """Signed in as ops; the token of his forms."""
    await sign_in(client, parts, Role.OPS, login="oleg")
    return await csrf_of(client, "/surveys")


async def page(client: Client, path: str, status: int = 200) -> str:
    async with client.get(path, headers=HTML) as reply:
        assert reply.status == status, await reply.text()
        return await reply.text()


async def send(
    client: Client, path: str, csrf: str, status: int = 303, **form: Any
) -> tuple[str, Mapping[str, str]]:
    """A form; its answer and the answer's headers."""
    async with client.post(path, data={"csrf": csrf, **form}, headers=HTML, allow_redirects=False) as reply:
        assert reply.status == status, await reply.text()
        return await reply.text(), reply.headers


async def save(client: Client, csrf: str, text: str, revision: int) -> tuple[int, dict[str, Any]]:
    async with client.post(
        "/surveys/nps/save", json={"text": text, "revision": revision}, headers={"X-CSRF-Token": csrf}
    ) as reply:
        return reply.status, await reply.json()


async def audited(db: Database) -> list[tuple[str, str, str]]:
    async with db.read() as session:
        changes = select(AuditRow).where(col(AuditRow.subject) == "survey").order_by(col(AuditRow.at))
        rows = (await session.exec(changes)).all()
    return sorted((row.login, row.action, row.subject_id) for row in rows)


async def begun(client: Client, csrf: str, digest: str) -> str:
    """The text of a draft of the published version."""
    await send(client, "/surveys/nps/begin", csrf, 303, **{"from": digest})
    async with client.get("/surveys/nps/draft.yaml") as reply:
        assert reply.headers["Content-Disposition"] == 'attachment; filename="nps-draft.yaml"'
        return await reply.text()


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


# Publishing ------------------------------------------------------------------------------------


async def test_publishing_is_ordered_for_what_was_seen_and_its_course_is_shown(
    client: Client, parts: Parts, ops: str, nps: str, control: Orders
) -> None:
    await begun(client, ops, nps)
    await send(client, "/surveys/nps/publish", ops, revision="1")
    assert ("survey_publish", {"survey": "nps", "revision": 1, "login": "oleg"}) in control.taken
    assert ("oleg", "publish", "nps") in await audited(parts.db)
    going = {"state": "speaking", "ready": 3, "total": 20, "kind": "publish", "version": 4}
    control.answers["survey_progress"] = {"publication": going}
    shown = await page(client, "/surveys/nps")
    assert "3 из 20" in shown
    assert 'hx-get="/surveys/nps/publication"' in shown
    assert 'action="/surveys/nps/publish"' not in shown
    control.answers["survey_progress"] = {"publication": {**going, "state": "done"}}
    async with client.get("/surveys/nps/publication", headers=HTML) as reply:
        assert reply.headers["HX-Refresh"] == "true"
        assert "Опубликована v4" in " ".join((await reply.text()).split())
    failed = {**going, "state": "failed", "message": "сначала исправьте найденное", "hint": ""}
    found = [{"line": 7, "message": "нет reask", "hint": "добавьте", "level": "error"}]
    control.answers["survey_progress"] = {"publication": {**failed, "problems": found}}
    assert "строка 7: нет reask" in await page(client, "/surveys/nps")


async def test_a_publication_that_is_refused_says_why(
    client: Client, parts: Parts, ops: str, nps: str, control: Orders
) -> None:
    await begun(client, ops, nps)
    control.answers["survey_publish"] = BadInput("этот опрос уже публикуется", hint="дождитесь конца")
    shown, _ = await send(client, "/surveys/nps/publish", ops, status=409, revision="1")
    assert "уже публикуется" in shown
    assert ("oleg", "publish", "nps") not in await audited(parts.db)


async def test_going_back_names_the_version_and_is_audited(
    client: Client, parts: Parts, ops: str, nps: str, control: Orders
) -> None:
    await send(client, "/surveys/nps/rollback", ops, hash=nps)
    assert ("survey_go_back", {"survey": "nps", "hash": nps, "login": "oleg"}) in control.taken
    assert ("oleg", "rollback", "nps") in await audited(parts.db)


async def test_what_changed_is_told_in_meaning_and_in_the_file(
    client: Client, parts: Parts, ops: str, nps: str
) -> None:
    text = await begun(client, ops, nps)
    changed = text.replace("Удалось ли решить ваш вопрос?", "Решён ли ваш вопрос?")
    await save(client, ops, changed, 1)
    shown = await page(client, "/surveys/nps/diff")
    assert "вопрос resolved · формулировка" in shown
    assert "<del>Удалось ли решить ваш вопрос?</del>" in shown
    assert "<ins>+     ask: Решён ли ваш вопрос?</ins>" in shown
    assert "сравнимы" in shown
    await save(client, ops, changed.replace("kind: yes_no", "kind: no", 1), 2)
    broken = await page(client, "/surveys/nps/diff")
    assert "по смыслу его не сравнить" in broken
    assert "<ins>+     kind: no</ins>" in broken
    assert "Смысл тот же" in await page(client, f"/surveys/nps/diff?from={nps}&to={nps}")


# Trying ----------------------------------------------------------------------------------------


async def test_a_trial_talk_goes_turn_by_turn(
    client: Client, parts: Parts, ops: str, nps: str, control: Orders
) -> None:
    control.answers |= dict.fromkeys(("survey_try", "survey_turn", "survey_tried"), TALK)
    control.answers["survey_sound"] = {"wav": "UklGRg=="}
    _, headers = await send(client, "/surveys/nps/talks", ops, customer="Елена")
    assert headers["Location"] == "/surveys/nps/talks/call-1"
    tried = next(params for name, params in control.taken if name == "survey_try")
    assert survey_hash(load_survey(NPS)) == nps
    assert tried["json"] == to_json(load_survey(NPS))
    assert (tried["owner"], tried["customer"]) == ("oleg", "Елена")
    shown = await page(client, "/surveys/nps/talks/call-1")
    assert "Оцените &lt;b&gt;нас&lt;/b&gt;" in shown
    assert 'value="#1"' in shown
    async with client.post(
        "/surveys/nps/talks/call-1", data={"csrf": ops, "line": "пять"}, headers={"HX-Request": "true"}
    ) as reply:
        part = await reply.text()
    assert part.strip().startswith('<div id="talk"')
    assert ("survey_turn", {"talk": "call-1", "line": "пять", "owner": "oleg"}) in control.taken
    async with client.get("/surveys/nps/talks/call-1/0.wav") as reply:
        assert (reply.content_type, await reply.read()) == ("audio/wav", b"RIFF")
    control.answers["survey_hear"] = {"text": "десять"}
    by_voice = {"X-CSRF-Token": ops, "Content-Type": "application/octet-stream"}
    async with client.post("/surveys/nps/talks/call-1/hear", data=b"\1\0", headers=by_voice) as reply:
        assert await reply.json() == {"text": "десять"}
    assert control.taken[-1] == ("survey_hear", {"talk": "call-1", "pcm": "AQA=", "owner": "oleg"})
    assert ("oleg", "try", "nps") in await audited(parts.db)


async def test_a_draft_with_errors_and_a_dialogue_that_is_away_are_told(
    client: Client, parts: Parts, ops: str, nps: str, control: Orders
) -> None:
    control.answers["survey_try"] = DialogueUnavailable("диалог не ответил", hint="otklik doctor")
    shown, _ = await send(client, "/surveys/nps/talks", ops, status=503)
    assert "диалог не ответил" in shown
    text = await begun(client, ops, nps)
    await save(client, ops, text.replace("kind: yes_no", "kind: no", 1), 1)
    shown, _ = await send(client, "/surveys/nps/talks", ops, status=409)
    assert "В черновике ошибки" in shown


async def test_a_talk_that_is_over_leads_back(client: Client, ops: str, nps: str, control: Orders) -> None:
    gone = BadInput("этого пробного разговора уже нет")
    control.answers |= {"survey_tried": gone, "survey_turn": gone, "survey_sound": gone}
    async with client.get("/surveys/nps/talks/call-9", headers=HTML, allow_redirects=False) as reply:
        assert reply.headers["Location"] == "/surveys/nps"
    async with client.post(
        "/surveys/nps/talks/call-9", data={"csrf": ops, "line": ""}, headers={"HX-Request": "true"}
    ) as reply:
        assert reply.headers["HX-Redirect"] == "/surveys/nps"
    await page(client, "/surveys/nps/talks/call-9/0.wav", status=404)


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
