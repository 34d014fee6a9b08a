"""The audit of the locked packages: what the tools tell is weighed, above all where they tell nothing."""

from __future__ import annotations

import datetime
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import audit
import check
import pytest
from audit import Exemption, NotHad, Weakness, WrongFile, exemptions, of_npm_audit, of_pip_audit, verdict

TODAY = datetime.date(2026, 11, 29)

PIP: dict[str, Any] = {
    "dependencies": [
        {"name": "aiohttp", "version": "3.9.5", "vulns": [
            {"id": "GHSA-jwhx-xcg6-8xhj", "fix_versions": ["3.10.2"],
             "aliases": ["CVE-2024-42367"], "description": "Compressed files as symlinks…"},
            {"id": "PYSEC-2024-1", "fix_versions": [], "aliases": [], "description": "…"},
        ]},
        {"name": "numpy", "version": "2.4.0", "vulns": []},
    ],
    "fixes": [],
}  # fmt: skip
SKIPPED = {"name": "sanic", "skip_reason": "Dependency not found on PyPI and could not be audited: sanic (1)"}
NPM: dict[str, Any] = {
    "auditReportVersion": 2,
    "vulnerabilities": {
        "lodash": {
            "name": "lodash", "severity": "high", "isDirect": False,
            "via": [{"source": 1106913, "name": "lodash", "dependency": "lodash",
                     "title": "Command Injection in lodash",
                     "url": "https://github.com/advisories/GHSA-35jh-r3h4-6jhm",
                     "severity": "high", "cwe": ["CWE-77"], "cvss": {"score": 7.2}, "range": "<4.17.21"}],
            "effects": ["pages"], "range": "<=4.17.20", "nodes": ["node_modules/lodash"],
            "fixAvailable": True,
        },
        "pages": {
            "name": "pages", "severity": "high", "isDirect": True, "via": ["lodash"], "effects": [],
            "range": "*", "nodes": ["node_modules/pages"], "fixAvailable": False,
        },
    },
    "metadata": {"vulnerabilities": {"high": 2, "total": 2}, "dependencies": {"prod": 6, "total": 6}},
}  # fmt: skip
NPM_REFUSED = {
    "message": "405 Method Not Allowed - POST https://registry.npmjs.org/-/npm/v1/security/advisories/bulk",
    "method": "POST",
    "statusCode": 405,
    "body": "",
    "error": {"summary": "", "detail": ""},
}
ENTRY = """
[[exception]]
id = "CVE-2024-42367"
package = "aiohttp"
where = "rasa"
why = "Serves no files."
until = 2027-01-31
"""


def test_what_pip_audit_found_is_known_by_all_its_names() -> None:
    found, missed = of_pip_audit("rasa", json.dumps(PIP))
    assert [(each.package, each.version) for each in found] == [("aiohttp", "3.9.5")] * 2
    assert found[0].names == {"GHSA-jwhx-xcg6-8xhj", "CVE-2024-42367"}
    assert "3.10.2" in found[0].told
    assert missed == []


def test_a_package_that_pip_audit_passed_over_is_not_clean() -> None:
    found, missed = of_pip_audit("rasa", json.dumps({**PIP, "dependencies": [SKIPPED, *PIP["dependencies"]]}))
    assert missed == ["sanic"]
    assert len(found) == 2, "and the others are told all the same"


def test_what_npm_audit_found_is_told_once() -> None:
    (weakness,) = of_npm_audit("pages", json.dumps(NPM))
    assert (weakness.package, weakness.names) == ("lodash", frozenset(("GHSA-35jh-r3h4-6jhm",)))


@pytest.mark.parametrize("output", ["", "Traceback…", "[]", "{}", json.dumps(NPM_REFUSED)])
def test_an_answer_that_is_no_report_is_not_clean(output: str) -> None:
    with pytest.raises(NotHad):
        of_npm_audit("pages", output)
    with pytest.raises(NotHad):
        of_pip_audit("bot", output)


def test_an_empty_environment_is_no_answer() -> None:
    with pytest.raises(NotHad):
        of_pip_audit("bot", '{"dependencies": [], "fixes": []}')


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("2027-01-31", "2026-11-28"), "2026-11-28"),
        (("2027-01-31", "2027-06-01"), "2027-05-31"),
        (("2027-01-31", '"2027-01-31"'), "until"),
        (("2027-01-31", "2027-01-31T00:00:00"), "until"),
        (("Serves no files.", "  "), "why"),
        (('why = "Serves no files."\n', ""), "why"),
        (("why =", "reason ="), "why"),
        (('"rasa"', '"bto"'), "where"),
        (("[[exception]]", "[[exceptions]]"), "exceptions"),
        (("[[exception]]", "[exception]"), "[[exception]]"),
        (('id = "CVE-2024-42367"', "id = "), "TOML"),
        (('"CVE-2024-42367"', "[]"), "id"),
        (('"CVE-2024-42367"', '["CVE-2024-42367", ""]'), "id"),
        (('"CVE-2024-42367"', "20242367"), "id"),
    ],
)
def test_an_exception_without_a_reason_or_past_its_day_is_refused(change: tuple[str, str], told: str) -> None:
    assert ENTRY.replace(*change) != ENTRY
    with pytest.raises(WrongFile) as refused:
        exemptions(ENTRY.replace(*change), TODAY)
    assert told in str(refused.value)


def test_an_exception_stands_up_to_and_with_its_day() -> None:
    day = datetime.date(2027, 1, 31)
    assert len(exemptions(ENTRY, day)) == 1
    with pytest.raises(WrongFile):
        exemptions(ENTRY, day + datetime.timedelta(days=1))


def test_what_is_let_pass_for_one_reason_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    both = exemptions(ENTRY.replace('"CVE-2024-42367"', '["CVE-2024-42367", "CVE-2025-53643"]'), TODAY)
    assert [each.id for each in both] == ["CVE-2024-42367", "CVE-2025-53643"]
    other = Weakness("rasa", "aiohttp", "3.9.5", frozenset(("CVE-2025-53643",)), "…")
    assert verdict([weakness(), other], both, []) == 0
    assert capsys.readouterr().out.count("Serves no files.") == 1


def test_the_same_exception_twice_is_refused() -> None:
    with pytest.raises(WrongFile, match="CVE-2024-42367"):
        exemptions(ENTRY + ENTRY, TODAY)


def weakness(where: str = "rasa", package: str = "aiohttp") -> Weakness:
    return Weakness(where, package, "3.9.5", frozenset(("GHSA-jwhx-xcg6-8xhj", "CVE-2024-42367")), "…")


LET_PASS: tuple[Exemption, ...] = exemptions(ENTRY, TODAY)


@pytest.mark.parametrize(
    ("found", "let_pass", "not_had", "status"),
    [
        ([], (), [], 0),
        ([weakness()], LET_PASS, [], 0),
        ([], LET_PASS, [], 0),
        ([weakness()], (), [], audit.KNOWN),
        ([weakness("bot")], LET_PASS, [], audit.KNOWN),
        ([weakness(package="sanic")], LET_PASS, [], audit.KNOWN),
        ([], (), ["npm: 405"], audit.NOT_HAD),
        ([weakness()], LET_PASS, ["npm: 405"], audit.NOT_HAD),
        ([weakness()], (), ["npm: 405"], audit.KNOWN),
    ],
)
def test_the_verdict(
    found: list[Weakness],
    let_pass: tuple[Exemption, ...],
    not_had: list[str],
    status: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert verdict(found, let_pass, not_had) == status
    out, err = capsys.readouterr()
    assert ("✓" in out) == (status == 0)
    assert all(reason in err for reason in not_had)


def test_the_exceptions_that_ship_are_in_order(root: Path) -> None:
    let_pass = exemptions(
        audit.EXCEPTIONS.read_text(encoding="utf-8"), datetime.datetime.now(datetime.UTC).date()
    )
    assert {each.where for each in let_pass} == {"rasa"}
    locked = re.findall(r'^name = "(.+)"$', (root / "dialogue/uv.lock").read_text(), re.MULTILINE)
    assert {each.package for each in let_pass} <= set(locked)


def test_where_pypi_tells_nothing_it_is_asked_about_one_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Sequence[str | Path]] = []

    def run(command: Sequence[str | Path], folder: Path, deadline: float) -> tuple[int, str, str]:
        asked.append(command)
        told = NPM_REFUSED if command[0] == "npm" else {"dependencies": [SKIPPED], "fixes": []}
        return 1, json.dumps(told), ""

    monkeypatch.setattr(audit, "_run", run)
    assert audit.main([]) == audit.NOT_HAD
    assert sorted(str(command[0]).rpartition("/")[2] for command in asked) == ["npm", "uv"]
    err = capsys.readouterr().err
    assert "bot, rasa" in err
    assert "405" in err


def test_a_tool_that_is_not_done_in_time_is_told_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []

    class Told(subprocess.Popen[str]):
        def send_signal(self, sig: int) -> None:
            sent.append(sig)
            super().send_signal(sig)

    monkeypatch.setattr(subprocess, "Popen", Told)
    with pytest.raises(NotHad, match="ответа нет"):
        audit._run([sys.executable, "-c", "import time; time.sleep(600)"], audit.ROOT, time.monotonic())
    assert sent == [signal.SIGTERM], "uv could not hand on a kill to what it runs"


@pytest.mark.parametrize(
    ("status", "passes"),
    [(0, True), (audit.NOT_HAD, True), (audit.KNOWN, False), (audit.WRONG_FILE, False), (-9, False)],
)
def test_an_audit_is_part_of_the_check(
    status: int, passes: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = subprocess.CompletedProcess(["audit.py"], status, "what it said", "why")
    monkeypatch.setattr(check, "COMMANDS", [])
    monkeypatch.setattr(check, "tracked_files", list)
    monkeypatch.setattr(check, "run_audit", lambda: (done, 1.0))
    assert (check.main() == 0) == passes
    out, err = capsys.readouterr()
    assert ("✓ audit" in out) == (status == 0)
    assert ("why" in err) == (status != 0)
    assert ("make audit" in err) == (status == audit.NOT_HAD), "nobody takes it for a clean one"
