"""Surveys in the console over HTTP: published, taken back, compared, tried."""

from __future__ import annotations

from bot.core.errors import BadInput, DialogueUnavailable
from bot.surveys.loader import load_survey, survey_hash, to_json
from bot.web.parts import Parts
from tests.web.conftest import HTML, Client, Orders
from tests.web.studio import NPS, TALK, audited, begun, control, nps, ops, page, save, send

__all__ = ["control", "nps", "ops"]


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
