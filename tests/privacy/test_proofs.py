"""What proves a consent and an opt-out to whoever asks: the exports of the command line, while the person is
known, after he has withdrawn, and after he was erased."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.events import OptedOut
from tests.privacy.marked import EXTERNAL, MARKS, NAME, OTHER, PHONE, SECOND, SENTENCE, SURNAME, told_call
from tests.privacy.test_commands import put, run
from tests.store.talk import START

NOBODYS = "79990001122"
AT_START = START.isoformat(timespec="seconds")
Row = dict[str, str]

GIVEN_LONG_AGO = {
    "Телефон": f"+{PHONE}", "Клиент": f"{SURNAME} {NAME}", "Номер клиента": EXTERNAL, "Вид": "calls",
    "Дано": AT_START, "Источник": "анкета", "Текст": f"{NAME} согласна: {SENTENCE}", "Звонок": "",
    "Запись": "", "Внесено": AT_START, "Кто внёс": "oleg", "Отозвано": AT_START, "Кто отозвал": "oleg",
    "Слова отзыва": SENTENCE,
}  # fmt: skip
GIVEN_IN_A_CALL = GIVEN_LONG_AGO | {
    "Дано": "2026-03-01T09:30:00+00:00", "Источник": "звонок", "Текст": "согласна на звонки",
    "Звонок": "call-mine", "Запись": "call-mine.wav", "Кто внёс": "irina", "Отозвано": "", "Кто отозвал": "",
    "Слова отзыва": "",
}  # fmt: skip
BY_HAND = {
    "Телефон": f"+{SECOND}", "Когда": AT_START, "Источник": "hand", "Слова": SENTENCE, "Кто внёс": "oleg",
    "Звонок": "", "Звонили": "", "Опрос": "", "Запись": "", "Снято": AT_START, "Кто снял": "oleg",
    "Почему снято": SENTENCE,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _here(var: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(var, monkeypatch)
    monkeypatch.chdir(tmp_path)


def exported(*command: str) -> list[Row]:
    """The file of an export: each row, and that it has no column which the test does not know."""
    assert run(*command, "proof.csv") == 0
    file = Path("proof.csv")
    assert file.stat().st_mode & 0o777 == 0o600
    with file.open(encoding="utf-8-sig", newline="") as text:
        return list(csv.DictReader(text, delimiter=";"))


def now(row: Row, column: str) -> Row:
    """The row without the moment of what was done just now, which is looked at here."""
    ago = datetime.now(UTC) - datetime.fromisoformat(row[column])
    assert timedelta() <= ago < timedelta(minutes=5)
    return {name: cell for name, cell in row.items() if name != column}


def without(row: Row, *columns: str) -> Row:
    return {name: cell for name, cell in row.items() if name not in columns}


def opted_out(call_id: str, phone: str, hours: int) -> Row:
    """What is exported of whoever asked in his call never to be rung again."""
    began = START + timedelta(hours=hours)
    [said] = [each for each in told_call(call_id, phone, SENTENCE, NAME, began) if isinstance(each, OptedOut)]
    return BY_HAND | {
        "Телефон": f"+{phone}", "Когда": said.at.isoformat(timespec="seconds"), "Источник": "call",
        "Кто внёс": "", "Звонок": call_id, "Звонили": began.isoformat(timespec="seconds"), "Опрос": "nps",
        "Запись": f"{call_id}.wav", "Снято": "", "Кто снял": "", "Почему снято": "",
    }  # fmt: skip


def test_a_consent_is_exported_with_all_that_proves_it_also_when_it_is_withdrawn(
    capsys: pytest.CaptureFixture[str],
) -> None:
    give = ("consent", "give", EXTERNAL, "--at", "01.03.2026 12:30", "--call", "call-mine", "--by", "irina")
    assert run(*give, "--source", "звонок", "--words", "согласна на звонки") == 0
    fresh, past = exported("consent", "export")
    assert list(fresh) == list(GIVEN_LONG_AGO)
    assert now(fresh, "Внесено") == without(GIVEN_IN_A_CALL, "Внесено")
    assert past == GIVEN_LONG_AGO
    assert run("consent", "withdraw", EXTERNAL, "--words", "больше не звоните", "--by", "olga") == 0
    withdrawn, same = exported("consent", "export")
    assert now(withdrawn, "Отозвано") == without(fresh, "Отозвано") | {
        "Кто отозвал": "olga",
        "Слова отзыва": "больше не звоните",
    }
    assert same == past, "what was withdrawn before stays so"
    capsys.readouterr()
    assert run("consent", "export") == 0
    shown = csv.DictReader(capsys.readouterr().out.splitlines(), delimiter=";")
    assert list(shown) == [withdrawn, past]


def test_after_an_erasure_a_consent_is_exported_without_the_person() -> None:
    [before] = exported("consent", "export")
    assert run("privacy", "erase", PHONE, "--yes", "--reason", "письмо") == 0
    [after] = exported("consent", "export")
    personal = ("Телефон", "Клиент", "Номер клиента", "Текст", "Слова отзыва")
    assert without(after, *personal) == without(before, *personal)
    assert [after[name].partition(":")[0] for name in ("Телефон", "Текст")] == ["hmac", "hmac"]
    assert after["Номер клиента"].startswith("erased-")
    assert (after["Клиент"], after["Слова отзыва"]) == ("", "")


def test_an_opt_out_is_exported_with_all_that_proves_it_also_when_it_is_taken_off() -> None:
    others = opted_out("call-other", OTHER, 2)
    rows = exported("dnc", "export")
    assert list(rows[0]) == list(BY_HAND)
    assert without(rows[0], "Слова") == without(others, "Слова"), "of what another said in his own words"
    assert rows[1:] == [opted_out("call-second", SECOND, 1), opted_out("call-mine", PHONE, 0), BY_HAND]
    assert run("dnc", "add", f"+{NOBODYS}", "--reason", "просил письмом", "--by", "irina") == 0
    added, *same = exported("dnc", "export")
    wished = without(BY_HAND, "Когда") | {
        "Телефон": f"+{NOBODYS}", "Слова": "просил письмом", "Кто внёс": "irina",
        "Снято": "", "Кто снял": "", "Почему снято": "",
    }  # fmt: skip
    assert now(added, "Когда") == wished
    assert same == rows
    assert run("dnc", "remove", NOBODYS, "--reason", "передумал", "--by", "olga") == 0
    removed, *same = exported("dnc", "export", "--source", "hand")
    taken_off = without(added, "Снято") | {"Кто снял": "olga", "Почему снято": "передумал"}
    assert now(removed, "Снято") == taken_off
    assert same == [BY_HAND]


def test_after_an_erasure_the_opt_out_is_told_to_whoever_names_the_number(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = {phone: opted_out("", phone, hours)["Когда"] for phone, hours in ((PHONE, 0), (SECOND, 1))}
    assert run("privacy", "erase", PHONE, "--yes", "--json") == 0
    erasure = json.loads(capsys.readouterr().out)["certificate"]
    for phone, since in said.items():
        assert run("dnc", "list", f"+{phone}", "--json") == 0
        [told] = json.loads(capsys.readouterr().out)
        assert datetime.fromisoformat(told.pop("at")) == datetime.fromisoformat(since)
        assert told == {
            "phone": phone, "source": "call", "erasure": erasure, "call_id": "", "words": "", "by": "",
            "recording": "", "removed": None,
        }  # fmt: skip
        assert run("dnc", "list", f"+{phone}") == 0
        shown = capsys.readouterr().out
        assert f"+{phone}: больше не звоним" in shown
        assert "откуда: call" in shown
        assert erasure in shown
    assert run("dnc", "list", PHONE, "--source", "hand") == 0
    assert run("dnc", "list", NOBODYS) == 0
    assert capsys.readouterr().out.splitlines() == ["Таких номеров нет."] * 2
    assert run("dnc", "list", "--json") == 0
    listed = capsys.readouterr().out
    assert [row["phone"] for row in json.loads(listed)] == [OTHER], (
        "without the number there is nothing to see"
    )
    assert not [mark for mark in MARKS if mark in listed]
