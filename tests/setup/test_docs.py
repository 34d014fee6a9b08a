"""What the pages tell people to type is there, and what they say of the settings is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import campaign_tables
import pytest
import settings_table
import survey_tables
from typer.core import TyperGroup

from bot.campaigns.linting import lint_campaign
from bot.cli import app as cli
from bot.cli.lazy import LazyGroup, load
from bot.settings_load import load_settings
from bot.surveys.lint import lint

PAGES = [
    "README.md",
    "docs/ops.md",
    "docs/administrators.md",
    "docs/surveys.md",
    "docs/campaigns.md",
    "docs/agents.md",
    "docs/managers.md",
    "docs/latency.md",
    "docs/handover.md",
    "docs/pbx.md",
    "docs/api.md",
    "docs/scale.md",
    "deploy/README.md",
    "docs/speech.md",
]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[list[str]]:
    """Every `make …` and `otklik …` in shell blocks and in `code`, as words."""
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", page)
    found = []
    for line in lines:
        words = line.split("#")[0].replace(".venv/bin/otklik", "otklik").split()
        if words and words[0] in ("make", "otklik") and len(words) > 1:
            found.append(words)
    return found


def targets_of(makefile: Path) -> set[str]:
    found = re.findall(r"^([a-z]+(?: [a-z]+)*):", makefile.read_text(), re.MULTILINE)
    return {target for targets in found for target in targets.split()}


@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_a_page_exists(root: Path, name: str) -> None:
    for words in commands((root / name).read_text(encoding="utf-8")):
        if words[0] == "make":
            folder, goal = (words[2], words[3:4]) if words[1] == "-C" else (".", words[1:2])
            targets = targets_of(root / folder / "Makefile")
            assert {each for each in goal if "=" not in each} <= targets, words
        elif not words[1].startswith("-"):
            assert words[1] in cli.COMMANDS, words
            command = load(words[1], cli.COMMANDS[words[1]])
            if isinstance(command, LazyGroup) and len(words) > 2:
                assert words[2] in command.lazy, words
                command = load(words[2], command.lazy[words[2]])
            for word in words[2:]:  # a group may do something by itself, and then has options
                if not isinstance(command, TyperGroup) or word.startswith("-"):
                    break
                assert word in command.commands, words
                command = command.commands[word]
            known = {"--help"} | {name for option in command.params for name in option.opts}
            assert {word for word in words[2:] if word.startswith("--")} <= known, words


def test_the_readme_tells_the_commands_that_matter(root: Path) -> None:
    told = {" ".join(words[:2]) for words in commands((root / "README.md").read_text(encoding="utf-8"))}
    assert told >= {"make demo", "make test", "otklik serve", "otklik call", "otklik doctor"}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(root: Path, name: str) -> None:
    page = root / name
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("name", PAGES)
def test_every_example_of_settings_is_accepted(
    root: Path, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for block in blocks((root / name).read_text(encoding="utf-8"), "toml"):
        tomllib.loads(block)
        (tmp_path / "otklik.toml").write_text(block, encoding="utf-8")
        load_settings()


def test_the_table_of_settings_is_what_the_code_says(root: Path) -> None:
    page = (root / "docs/administrators.md").read_text(encoding="utf-8")
    assert settings_table.with_table(page) == page, "run tools/settings_table.py"
    assert page.count("\n| `") > 35


def test_the_tables_of_a_surveys_keys_and_rules_are_what_the_code_says(root: Path) -> None:
    page = (root / "docs/surveys.md").read_text(encoding="utf-8")
    assert survey_tables.with_tables(page) == page, "run tools/survey_tables.py"
    assert page.count("\n| `") > 100


def test_the_tables_of_a_campaigns_keys_and_reasons_are_what_the_code_says(root: Path) -> None:
    page = (root / "docs/campaigns.md").read_text(encoding="utf-8")
    assert campaign_tables.with_tables(page) == page, "run tools/campaign_tables.py"
    assert page.count("\n| ") > 100


def test_every_example_of_a_campaign_lints_clean(root: Path, tmp_path: Path) -> None:
    examples = blocks((root / "docs/campaigns.md").read_text(encoding="utf-8"), "yaml")
    assert len(examples) >= 2
    for number, text in enumerate(examples):
        file = tmp_path / f"example_{number}.yaml"
        file.write_text(text, encoding="utf-8")
        assert [str(problem) for problem in lint_campaign(file)] == []


def test_every_example_of_a_survey_lints_clean(root: Path, tmp_path: Path) -> None:
    """The first is whole; the others stand for its questions and rules."""
    whole, *parts = blocks((root / "docs/surveys.md").read_text(encoding="utf-8"), "yaml")
    head, marker, _ = whole.partition("questions:\n")
    assert marker
    for number, text in enumerate([whole, *(head + part for part in parts)]):
        file = tmp_path / f"example_{number}.yaml"
        file.write_text(text, encoding="utf-8")
        assert [str(problem) for problem in lint(file)] == []
    assert len(parts) >= 3


def test_the_page_of_surveys_names_all_that_ship(root: Path) -> None:
    page = (root / "docs/surveys.md").read_text(encoding="utf-8")
    shipped = {path.stem.removesuffix("_en") for path in (root / "survey_defs").glob("*.yaml")}
    assert [name for name in sorted(shipped) if f"| `{name}` |" not in page] == []


def test_the_end_of_a_call_is_told_in_every_form(root: Path) -> None:
    from bot.core.endings import Disposition

    page = (root / "docs/managers.md").read_text(encoding="utf-8")
    assert [kind for kind in Disposition if f"`{kind}`" not in page] == []


def test_the_changelog_begins_with_the_version_of_the_package(root: Path) -> None:
    versions = re.findall(r"^## \[(\S+)\] - \S+", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    package = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert versions[0] == package["version"]
