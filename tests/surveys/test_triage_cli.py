"""`otklik triage`: why a call went as it did, and what a company's own word lists do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli.triage import app
from bot.cli.triage_account import account, line_of
from bot.core.context import TurnSource
from bot.core.errors import BadInput
from bot.core.events import (
    CallbackPromised,
    CallEvent,
    CaseOpened,
    HandoverFailed,
    HandoverStarted,
    Noted,
    OfferDecided,
    OfferMade,
    PromptStarted,
    SignalRaised,
    SignalWithdrawn,
    TurnHeard,
)
from bot.core.intents import Topic
from bot.surveys.json_schema_dictionary import dictionary_schema
from tests.surveys.turns import NPS, SURVEYS

BEGAN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
FILE = str(SURVEYS / "nps.yaml")


def events(*made: tuple[type[CallEvent], dict[str, Any]]) -> list[CallEvent]:
    """One a second."""
    return [
        kind(call_id="call-1", seq=seq, at=BEGAN + timedelta(seconds=seq), **fields)
        for seq, (kind, fields) in enumerate(made)
    ]


CALL = events(
    (TurnHeard, {"question_id": "nps", "source": TurnSource.SPEECH, "text": "двойка"}),
    (SignalRaised, {"name": "low_score", "rule": "low_score", "words": "двойка"}),
    (SignalRaised, {"name": "angry", "rule": "anger.anger", "words": "сколько можно"}),
    (OfferMade, {"offer": "human", "rule": "low_score", "topic": Topic.WAITING}),
    (PromptStarted, {"prompt": 1, "purpose": "offer", "text": "Соединить вас?", "duration_s": 2.0}),
    (TurnHeard, {"question_id": "offer", "source": TurnSource.SPEECH, "text": "да соединяйте"}),
    (OfferDecided, {"offer": "human", "accepted": True}),
    (Noted, {"rule": "repeated", "words": "третий раз"}),
    (HandoverStarted, {"target": "responsible", "form": "bridge", "reason": "low_score"}),
    (HandoverFailed, {"target": "responsible", "reason": "no_answer"}),
    (CallbackPromised, {"when": "", "by": "agent", "owner_id": "ivanova", "due_at": BEGAN}),
    (CaseOpened, {"reason": "low_score", "callback": True, "owner_id": "ivanova", "due_at": BEGAN}),
    (SignalWithdrawn, {"name": "low_score", "rule": "low_score"}),
)


def test_the_account_names_rules_words_offers_and_what_became_of_them() -> None:
    told = account(CALL, NPS)
    assert [entry.what for entry in told] == [
        "signal_raised",
        "signal_raised",
        "offer_made",
        "offer_decided",
        "noted",
        "handover_started",
        "handover_failed",
        "callback_promised",
        "case_opened",
        "signal_withdrawn",
    ]
    low, angry, offer, decided = told[:4]
    assert (low.rule, low.why, low.said) == ("low_score", "answer.nps <= 6", "двойка")
    assert (angry.rule, angry.why, angry.said) == (
        "anger.anger",
        "список anger словаря anger",
        "сколько можно",
    )
    assert (offer.rule, offer.facts["text"]) == ("low_score", "Соединить вас?")
    assert (decided.said, decided.facts["accepted"]) == ("да соединяйте", True)
    assert told[0].as_json()["at"] == "2026-11-23T10:00:01+00:00"
    assert json.loads(json.dumps([entry.as_json() for entry in told]))[8]["owner_id"] == "ivanova"


def test_every_line_is_told_in_words() -> None:
    lines = [line_of(entry).plain for entry in account(CALL, NPS)]
    assert "сигнал low_score · low_score (answer.nps <= 6) — «двойка»" in lines[0]
    assert "предложено соединить с сотрудником: «Соединить вас?» · правило low_score" in lines[2]
    assert "соединить с сотрудником: согласен — «да соединяйте»" in lines[3]
    assert "пометка · правило repeated" in lines[4]
    assert "не соединён: no_answer" in lines[6]
    assert "обещано: перезвонит сотрудник, ivanova, не позже" in lines[7]
    assert "заведён случай, ivanova" in lines[8]
    assert "сигнал снят, ответ исправлен: low_score" in lines[9]


def test_a_survey_that_is_gone_leaves_the_rules_without_their_conditions() -> None:
    assert [entry.why for entry in account(CALL, None)][:2] == ["", ""]


# Words ----------------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments])
    assert result.exit_code == 0, result.output
    return result.output


def tried(text: str, survey: str = FILE) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(run("explain", "--text", text, "--survey", survey, "--json"))
    return told


def test_words_are_explained_by_list_and_rule() -> None:
    told = tried("опять долго ждал и меня обхамили")
    assert [(each["rule"], each["words"]) for each in told["signals"]] == [
        ("complaints.waiting", "долго ждал"),
        ("complaints.rudeness", "обхамили"),
    ]
    assert [(each["rule"], each["does"]) for each in told["rules"]] == [("complaint", "human")]
    shown = run("explain", "--text", "опять долго ждал", "--survey", FILE)
    assert "complaint (waiting) — complaints.waiting: «долго ждал»" in shown
    assert "сработает правило complaint" in shown


def test_what_is_denied_is_told_and_raises_nothing() -> None:
    told = tried("грубости не было")
    assert told["signals"] == []
    assert [each["rule"] for each in told["denied"]] == ["complaints.rudeness"]
    assert "Слова ничего не подняли." in run("explain", "--text", "грубости не было", "--survey", FILE)


@pytest.mark.parametrize("arguments", [(), ("call-1", "--text", "да"), ("--text", "да")])
def test_one_thing_is_explained_at_a_time(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, ["explain", *arguments])
    assert isinstance(result.exception, BadInput)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The surveys' folder of the settings, with one survey and no own dictionary."""
    (tmp_path / "nps.yaml").write_text((SURVEYS / "nps.yaml").read_text("utf-8"), "utf-8")
    (tmp_path / "dictionaries").mkdir()
    monkeypatch.setenv("OTKLIK_SURVEYS", str(tmp_path))
    return tmp_path


def test_a_survey_is_named_by_its_id_and_tried_with_own_lists(folder: Path) -> None:
    assert tried("курьер опоздал", "nps")["signals"] == []
    own = "extend: complaints\nlists:\n  - {id: waiting, words: [курьер опоздать]}\n"
    (folder / "dictionaries" / "own.yaml").write_text(own, "utf-8")
    assert [each["rule"] for each in tried("курьер опоздал", "nps")["signals"]] == ["complaints.waiting"]


def test_lists_are_shown(folder: Path) -> None:
    shown = run("list")
    assert "complaints · ru" in shown
    assert "waiting → complaint (waiting), фраз" in shown
    assert "не перезвонить" in run("list", "complaints")
    assert {each["id"] for each in json.loads(run("list", "--json"))} >= {"complaints", "anger", "contact_en"}
    assert CliRunner().invoke(app, ["list", "nowhere"]).exit_code == 2


def test_lint_tells_each_fault_with_its_line(folder: Path) -> None:
    assert "своих словарей нет" in run("lint")
    good = folder / "dictionaries" / "good.yaml"
    good.write_text("extend: anger\nlists:\n  - {id: anger, words: [вы что]}\n", "utf-8")
    assert "в порядке" in run("lint")
    bad = folder / "dictionaries" / "bad.yaml"
    bad.write_text("extend: angr\nlists:\n  - {id: anger, words: [вы что]}\n", "utf-8")
    result = CliRunner().invoke(app, ["lint"])
    assert result.exit_code == 1
    assert f"{bad}:1:1: error unknown-reference: словаря «angr» нет" in result.output
    assert "good.yaml: в порядке" in result.output
    (problem,) = json.loads(CliRunner().invoke(app, ["lint", "--json"]).output)
    assert (problem["rule"], problem["line"]) == ("unknown-reference", 1)
    bad.write_text("\t", "utf-8")
    assert CliRunner().invoke(app, ["lint", str(bad)]).exit_code == 2


def test_the_schema_is_printed() -> None:
    assert json.loads(run("schema")) == dictionary_schema()
