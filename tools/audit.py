"""Known weaknesses of everything that is locked: pip-audit over both environments, npm audit over the pages.

    .venv/bin/python tools/audit.py [--within SECONDS]

Part of `make check`, by itself `make audit`. Needs PyPI and npm's registry, which the advisories are read
from. Exit status 1 where a weakness is known that tools/audit.toml does not let pass, 2 where that file is
wrong, 3 where advisories could not be had: then nothing is known, which is not the same as nothing found.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from speak import say, text

ROOT = Path(__file__).resolve().parent.parent
EXCEPTIONS = Path(__file__).with_name("audit.toml")
PIP_AUDIT = "pip-audit==2.9.0"
TIMEOUT_S = 600.0
ASK_S = 45.0
"""For the first answer of PyPI, pip-audit's own download included, and for npm's, which is all that it gives:
nobody waits longer for a network that lets nothing through."""

STOP_S = 5.0
"""A tool that is told to end has so long."""
LONGEST = datetime.timedelta(days=183)
"""For so long an exception may stand before somebody looks at it again."""

KNOWN, WRONG_FILE, NOT_HAD = 1, 2, 3
LOCKS = {"bot": ROOT, "rasa": ROOT / "dialogue"}
PAGES = "pages"
TEXTS = frozenset(("package", "where", "why"))
KEYS = TEXTS | {"id", "until"}


class NotHad(Exception):
    """Advisories that could not be had; the message says what came instead."""


class WrongFile(Exception):
    """The file of exceptions cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Weakness:
    """One advisory about one locked package. `names` are all that it is known by."""

    where: str
    package: str
    version: str
    names: frozenset[str]
    told: str

    def __str__(self) -> str:
        return f"{self.where}: {self.package} {self.version}: {', '.join(sorted(self.names))}: {self.told}"


@dataclass(frozen=True)
class Exemption:
    """A weakness that is let pass up to and with the day `until`."""

    id: str
    package: str
    where: str
    why: str
    until: datetime.date

    def covers(self, weakness: Weakness) -> bool:
        return self.id in weakness.names and self.package == weakness.package and self.where == weakness.where


def exemptions(content: str, today: datetime.date) -> tuple[Exemption, ...]:
    """Raises WrongFile for what is no TOML, lacks something, says no reason, or is past its day."""
    try:
        table = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise WrongFile(f"это не TOML / not TOML: {error}") from error
    if strange := set(table) - {"exception"}:
        raise WrongFile(text(f"лишнее: {_listed(strange)}", f"unknown: {_listed(strange)}"))
    entries = table.get("exception", [])
    if not isinstance(entries, list):
        raise WrongFile(text("пишется [[exception]]", "write [[exception]]"))
    found = tuple(each for number, entry in enumerate(entries, 1) for each in _entry(entry, number, today))
    keys = [(each.id, each.package, each.where) for each in found]
    if twice := [key for key in keys if keys.count(key) > 1]:
        raise WrongFile(text(f"дважды: {' '.join(twice[0])}", f"twice: {' '.join(twice[0])}"))
    return found


def _entry(entry: Any, number: int, today: datetime.date) -> list[Exemption]:
    """One exemption for each of its ids: what is let pass for one reason is told once."""
    given = entry if isinstance(entry, dict) else {}
    place = f"[[exception]] {number} ({given.get('id', '?')})"
    if set(given) != KEYS:
        need = _listed(KEYS)
        raise WrongFile(f"{place}: " + text(f"нужны ровно {need}", f"exactly {need} are needed"))
    ids = given["id"] if isinstance(given["id"], list) else [given["id"]]
    texts = [*(("id", each) for each in ids or [""]), *((name, given[name]) for name in sorted(TEXTS))]
    for name, value in texts:
        if not isinstance(value, str) or not value.strip():
            raise WrongFile(f"{place}: " + text(f"{name}: пусто", f"{name} is empty"))
    if given["where"] not in (*LOCKS, PAGES):
        raise WrongFile(f"{place}: where: bot, rasa, pages")
    until = given["until"]
    if not isinstance(until, datetime.date) or isinstance(until, datetime.datetime):
        raise WrongFile(
            f"{place}: " + text("until: дата, как 2027-01-31", "until: a date such as 2027-01-31")
        )
    if until < today:
        words = text(f"срок вышел {until}: решите заново", f"is past its day, {until}: decide again")
        raise WrongFile(f"{place}: {words}")
    if until - today > LONGEST:
        words = text(f"until: не дальше {today + LONGEST}", f"until: no later than {today + LONGEST}")
        raise WrongFile(f"{place}: {words}")
    return [Exemption(**{**given, "id": each}) for each in ids]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def of_pip_audit(where: str, output: str) -> tuple[list[Weakness], list[str]]:
    """What `pip-audit --format json` told, and which packages it passed over: it does so, and calls the
    rest clean, wherever PyPI tells nothing of a package. Raises NotHad."""
    report = _json(output)
    if not isinstance(report.get("dependencies"), list) or not report["dependencies"]:
        raise NotHad(f"{where}: {_short(output)}")
    found: list[Weakness] = []
    missed: list[str] = []
    for package in report["dependencies"]:
        if "vulns" not in package:
            missed.append(package["name"])
            continue
        for told in package["vulns"]:
            names = frozenset((told["id"], *told.get("aliases", ())))
            mended = ", ".join(told.get("fix_versions", ()))
            words = text(f"исправлено в {mended}", f"mended in {mended}") if mended else "—"
            found.append(Weakness(where, package["name"], package["version"], names, words))
    return found, missed


def of_npm_audit(where: str, output: str) -> list[Weakness]:
    """What `npm audit --json` told (report version 2). Raises NotHad."""
    report = _json(output)
    if report.get("auditReportVersion") != 2 or not isinstance(report.get("vulnerabilities"), dict):
        raise NotHad(f"{where}: {report.get('message') or report.get('error') or _short(output)}")
    found: list[Weakness] = []
    for name, package in sorted(report["vulnerabilities"].items()):
        for told in package["via"]:
            # A plain name says by whom it is reached: that package has its own entry.
            if isinstance(told, dict):
                names = frozenset((told["url"].rpartition("/")[2],))
                words = f"{told['severity']}: {told['title']}"
                found.append(Weakness(where, name, told["range"], names, words))
    return found


def _json(output: str) -> dict[str, Any]:
    try:
        report = json.loads(output)
    except ValueError:
        return {}
    return report if isinstance(report, dict) else {}


def _short(output: str) -> str:
    lines = output.strip().splitlines()
    return lines[-1][:300] if lines else text("пустой ответ", "an empty answer")


def ask_after_one(uv: Path, deadline: float) -> None:
    """Raises NotHad where PyPI tells nothing of a package that it knows: then it need not be asked after
    some hundreds more, one by one."""
    with tempfile.TemporaryDirectory() as scratch:
        one = Path(scratch) / "one.txt"
        one.write_text(PIP_AUDIT, encoding="utf-8")
        _, missed = _pip_audit("PyPI", uv, one, "--no-deps", min(deadline, time.monotonic() + ASK_S))
    if missed:
        raise NotHad(text(f"PyPI: ничего о {PIP_AUDIT}", f"PyPI: nothing about {PIP_AUDIT}"))


def audit_environment(where: str, uv: Path, deadline: float) -> tuple[list[Weakness], list[str]]:
    """Every locked package, those of the tests too. Raises NotHad."""
    with tempfile.TemporaryDirectory() as scratch:
        locked = Path(scratch) / "locked.txt"
        export = ("export", "--quiet", "--frozen", "--no-emit-project", "--all-extras", "--all-groups")
        status, _, told = _run([uv, *export, "--output-file", locked], LOCKS[where], deadline)
        if status:
            raise NotHad(f"{where}: uv export: {_short(told)}")
        return _pip_audit(where, uv, locked, "--require-hashes", deadline)


def _pip_audit(
    where: str, uv: Path, requirements: Path, how: str, deadline: float
) -> tuple[list[Weakness], list[str]]:
    tool = ("tool", "run", "--quiet", "--from", PIP_AUDIT, "pip-audit")
    options = (how, "--disable-pip", "--format", "json", "--progress-spinner", "off")
    _, out, err = _run([uv, *tool, "--requirement", requirements, *options], ROOT, deadline)
    return of_pip_audit(where, out or err)


def audit_pages(where: str, deadline: float) -> tuple[list[Weakness], list[str]]:
    """Every locked package: npm answers for all or for none. Raises NotHad."""
    audit = ("npm", "audit", "--json", "--package-lock-only")
    _, out, err = _run(audit, ROOT / "bot" / "web", min(deadline, time.monotonic() + ASK_S))
    return of_npm_audit(where, out or err), []


def _run(command: Sequence[str | Path], folder: Path, deadline: float) -> tuple[int, str, str]:
    """Exit status, output, errors. Raises NotHad where it cannot be run or is not done by `deadline`
    (time.monotonic)."""
    try:
        with subprocess.Popen(
            command,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        ) as process:
            try:
                out, err = process.communicate(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.terminate()  # uv hands this on to what it runs, and could not hand on a kill
                try:
                    process.wait(STOP_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                raise
            return process.returncode, out, err
    except subprocess.TimeoutExpired as error:
        words = text("за отведённое время ответа нет", "no answer in the time that there was")
        raise NotHad(f"{Path(command[0]).name}: {words}") from error
    except OSError as error:
        raise NotHad(f"{command[0]}: {error}") from error


def verdict(found: Sequence[Weakness], let_pass: Sequence[Exemption], not_had: Sequence[str]) -> int:
    """Says everything there is to say; the exit status."""
    open_ = [each for each in found if not any(other.covers(each) for other in let_pass)]
    for weakness in open_:
        say(f"✗ {weakness}", error=True)
    covering = [each for each in let_pass if any(each.covers(weakness) for weakness in found)]
    for reason, ids in _by_reason(covering).items():
        say(f"· {reason}: {', '.join(ids)}")
    for each in let_pass:
        if each not in covering and not not_had:
            say(
                text(
                    f"· {each.id} ({each.package}): больше не найдено, уберите из audit.toml",
                    f"· {each.id} ({each.package}): no longer found, take it out of audit.toml",
                )
            )
    for reason in not_had:
        say(text(f"✗ сведений нет: {reason}", f"✗ advisories could not be had: {reason}"), error=True)
    if open_:
        return KNOWN
    if not_had:
        say(text("Проверка не состоялась.", "Nothing was proved: the audit did not take place."), error=True)
        return NOT_HAD
    say(text("✓ известных слабостей нет", "✓ no known weaknesses"))
    return 0


def _by_reason(let_pass: Iterable[Exemption]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in let_pass:
        reason = f"{each.where}: {each.package}: {each.why} (≤ {each.until})"
        found.setdefault(reason, []).append(each.id)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=text("Известные слабости пакетов", "Known weaknesses"))
    parser.add_argument(
        "--within", type=float, default=TIMEOUT_S, metavar="SECONDS", help="ends by then, done or not"
    )
    deadline = time.monotonic() + parser.parse_args(arguments).within
    try:
        let_pass = exemptions(EXCEPTIONS.read_text(encoding="utf-8"), _today())
    except WrongFile as error:
        say(f"{EXCEPTIONS.name}: {error}", error=True)
        return WRONG_FILE
    uv = ROOT / ".tools" / "bin" / "uv"
    found: list[Weakness] = []
    not_had: list[str] = []
    with ThreadPoolExecutor() as pool:
        jobs = {PAGES: pool.submit(audit_pages, PAGES, deadline)}
        try:
            ask_after_one(uv, deadline)
        except NotHad as error:
            not_had.append(f"{', '.join(LOCKS)}: {error}")
        else:
            jobs |= {where: pool.submit(audit_environment, where, uv, deadline) for where in LOCKS}
        for where, job in jobs.items():
            try:
                told, missed = job.result()
            except NotHad as error:
                not_had.append(str(error))
                continue
            found += told
            if missed:
                not_had.append(f"{where}: {len(missed)}: {', '.join(missed)}"[:300])
    return verdict(found, let_pass, not_had)


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


if __name__ == "__main__":
    sys.exit(main())
