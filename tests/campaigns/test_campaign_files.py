"""Campaign files: what is refused and where, what lint finds, and the schema that editors are given."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from ruamel.yaml import YAML
from typer.testing import CliRunner

from bot.campaigns.durations import parse_duration, told, written
from bot.campaigns.json_schema import campaign_schema
from bot.campaigns.linting import RULES, lint_campaign
from bot.campaigns.loader import load_campaign, read_campaign
from bot.campaigns.reading import definition_of
from bot.campaigns.schema import Campaign
from bot.cli.app import app
from bot.core.endings import RetryCause
from bot.core.errors import CampaignInvalid
from bot.published import Published
from bot.surveys.loader import load_survey
from bot.surveys.schema import Survey
from tests.surveys.turns import SURVEYS

EXAMPLE = Path(__file__).parent.parent / "data/campaigns/nps.yaml"

SHORT = """\
id: short
title: Короткая
survey: nps
purpose: service
"""


def in_file(tmp_path: Path, more: str = "", base: str = SHORT) -> Path:
    file = tmp_path / "campaign.yaml"
    file.write_text(base + more, encoding="utf-8")
    return file


def found(file: Path) -> list[tuple[str, int, str]]:
    """Rule, line and words of each problem."""
    return [(each.rule, each.place.line, each.message) for each in read_campaign(file).problems]


def test_the_example_says_all_there_is(tmp_path: Path) -> None:
    campaign = load_campaign(EXAMPLE)
    assert campaign.calling.hours == "mon-fri 10:00-13:00, 14:00-20:00; sat 11:00-18:00"
    assert campaign.starts == date(2026, 12, 1)
    assert campaign.retries.busy.after == (timedelta(minutes=15), timedelta(hours=1))
    assert set(Campaign.model_fields) - campaign.model_fields_set == {"consent"}


def test_four_lines_are_enough(tmp_path: Path) -> None:
    campaign = load_campaign(in_file(tmp_path))
    assert not campaign.needs_consent
    assert campaign.retries.of(RetryCause.BUSY).limit == 3


@pytest.mark.parametrize("base", [SHORT, EXAMPLE.read_text(encoding="utf-8")])
def test_what_is_stored_is_read_again_as_it_was(tmp_path: Path, base: str) -> None:
    campaign = load_campaign(in_file(tmp_path, base=base))
    assert definition_of(campaign.model_dump_json()) == campaign


def test_a_year_that_an_older_version_took_is_read_from_the_database_and_from_no_file(tmp_path: Path) -> None:
    campaign = load_campaign(in_file(tmp_path)).model_copy(update={"ends": date(2999, 12, 31)})
    assert definition_of(campaign.model_dump_json()) == campaign
    with pytest.raises(CampaignInvalid, match="тогда не звонят"):
        load_campaign(in_file(tmp_path, "ends: 2999-12-31\n"))


@pytest.mark.parametrize(
    ("more", "rule", "line", "words"),
    [
        ("colour: red\n", "unknown-key", 5, "«colour»"),
        ("calling: {hour: mon 10-20}\n", "unknown-key", 5, "«hour»"),
        ("calling:\n  hours: mon-fri 8-20\n", "bad-value", 6, "mon 08:00-20:00 шире, чем можно звонить"),
        ("calling:\n  hours: sat 10-21\n", "bad-value", 6, "sat 10:00-21:00 шире"),
        ("calling:\n  hours: always\n", "bad-value", 6, "шире"),
        ("calling:\n  hours: fri 20-10\n", "bad-value", 6, "шире"),
        ("calling:\n  hours: by day\n", "bad-value", 6, "«by» не день недели"),
        ("calling:\n  country: XX\n", "bad-value", 6, "страны «XX» нет"),
        ('calling:\n  country: ""\n', "bad-value", 6, "country"),
        ("calling:\n  closed: [2026-12-31, 31.12.2026]\n", "bad-value", 6, "нужна дата"),
        ("starts: завтра\n", "bad-value", 5, "нужна дата"),
        ("starts: 2026-12-02\nends: 2026-12-01\n", "bad-value", 6, "раньше, чем starts"),
        ("target: 0\n", "bad-value", 5, "не меньше 1"),
        ("consent: maybe\n", "bad-value", 5, "допустимо"),
        ("caller: {number: 8 495 123-45-67}\n", "bad-value", 5, "не номер"),
        ("retries:\n  attempts: 50\n", "bad-value", 6, "не больше 20"),
        ("retries:\n  busy: {after: [5], limit: 1}\n", "bad-value", 6, "«5» не промежуток времени"),
        ("retries:\n  busy: {after: [1h30m], limit: 1}\n", "bad-value", 6, "не промежуток времени"),
        ("retries:\n  busy: {after: [30s], limit: 1}\n", "bad-value", 6, "не меньше минуты"),
        ("retries:\n  busy: {after: [], limit: 1}\n", "bad-value", 6, "не меньше 1"),
        ("retries:\n  busy: {limit: 1}\n", "missing-key", 6, "«after»"),
        ("frequency:\n  rings_per_day: 99\n", "bad-value", 6, "не больше 5"),
        ("pacing:\n  per_second: 0\n", "bad-value", 6, "нужно больше 0"),
        ("pacing:\n  agents: 3\n", "bad-value", 6, "true или false"),
        ("breaker:\n  failures: {share: 30, over: 15m, sample: 20}\n", "bad-value", 6, "не больше 1"),
        ("quotas:\n  - {id: a, where: {}, completed: 1}\n", "bad-value", 6, "where"),
        (
            "quotas:\n  - {id: a, where: {x: b}, completed: 1}\n  - {id: a, where: {x: c}, completed: 1}\n",
            "duplicate-id",
            7,
            "«a» описана дважды",
        ),
        ("title: Дважды\n", "duplicate-key", 5, "title"),
        ("\tpacing: 1\n", "tab", 5, "табуляция"),
    ],
)
def test_bad_input_is_refused_with_its_place(
    tmp_path: Path, more: str, rule: str, line: int, words: str
) -> None:
    (problem,) = found(in_file(tmp_path, more))
    assert problem[:2] == (rule, line)
    assert words in problem[2]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("id", "Осень", "латинские"),
        ("survey", "nps@", "не имя опроса"),
        ("survey", "nps.yaml", "не имя опроса"),
        ("purpose", "fun", "допустимо"),
        ("title", '""', "текст пуст"),
    ],
)
def test_the_four_lines_are_judged_too(tmp_path: Path, key: str, value: str, words: str) -> None:
    base = re.sub(rf"^{key}: .*$", f"{key}: {value}", SHORT, flags=re.MULTILINE)
    (problem,) = found(in_file(tmp_path, base=base))
    assert words in problem[2]


def test_advertising_needs_consent_whatever_the_file_says(tmp_path: Path) -> None:
    base = SHORT.replace("service", "marketing")
    (problem,) = found(in_file(tmp_path, "consent: not_required\n", base))
    assert problem[1] == 5
    assert load_campaign(in_file(tmp_path, base=base)).needs_consent


def test_all_problems_are_told_at_once_and_the_first_raised(tmp_path: Path) -> None:
    file = in_file(tmp_path, "target: 0\nstarts: x\npacing: {lines: 0}\n")
    assert [line for _, line, _ in found(file)] == [5, 6, 7]
    with pytest.raises(CampaignInvalid, match=r"campaign.yaml:5.*target") as caught:
        load_campaign(file)
    assert "campaign.yaml:6" in caught.value.hint


@pytest.mark.parametrize("text", ["", "- a\n", "a: &x 1\nb: *x\n"])
def test_what_is_no_table_is_no_campaign(tmp_path: Path, text: str) -> None:
    (problem,) = read_campaign(in_file(tmp_path, base=text)).problems
    assert problem.unreadable


@given(st.integers(1, 99_999), st.sampled_from("smhd"))
def test_spans_are_read_as_they_are_written(count: int, unit: str) -> None:
    span = parse_duration(f"{count}{unit}")
    assert parse_duration(written(span)) == span
    assert parse_duration(f" {count}{ {'s': 'с', 'm': 'м', 'h': 'ч', 'd': 'Д'}[unit] }") == span


def test_spans_are_told_in_words() -> None:
    assert [told(timedelta(seconds=seconds)) for seconds in (45, 900, 7200, 86_400)] == [
        "45 с",
        "15 мин",
        "2 ч",
        "1 д",
    ]


# Lint ------------------------------------------------------------------------------------------


def shipped(name: str) -> Survey | None:
    file = SURVEYS / f"{name}.yaml"
    return load_survey(file) if file.exists() else None


def rules(file: Path) -> list[tuple[str, int]]:
    return [(problem.rule, problem.place.line) for problem in lint_campaign(file, shipped)]


def test_the_example_lints_clean() -> None:
    assert lint_campaign(EXAMPLE, shipped) == ()


@pytest.mark.parametrize(
    ("more", "rule", "line"),
    [
        ("starts: 2026-12-05\nends: 2026-12-06\ncalling: {hours: mon-fri 10-20}\n", "never-open", 7),
        ("starts: 2027-01-01\nends: 2027-01-08\n", "never-open", 6),
        ("retries: {attempts: 9}\n", "more-attempts", 5),
        ("target: 5\nquotas:\n  - {id: a, where: {x: y}, completed: 6}\n", "quota-beyond-target", 7),
        (
            "quotas:\n  - {id: a, where: {x: y}, completed: 6}\n  - {id: b, where: {x: y}, completed: 7}\n",
            "same-quota",
            7,
        ),
    ],
)
def test_what_would_ring_nobody_is_found(tmp_path: Path, more: str, rule: str, line: int) -> None:
    assert rules(in_file(tmp_path, more)) == [(rule, line)]


def test_the_survey_must_be_there(tmp_path: Path) -> None:
    file = in_file(tmp_path, base=SHORT.replace("survey: nps", "survey: nsp"))
    assert rules(file) == [("unknown-survey", 3)]
    assert lint_campaign(file) == ()


def test_advertising_by_a_robot_is_warned_of_and_may_be_meant(tmp_path: Path) -> None:
    base = SHORT.replace("service", "marketing")
    (problem,) = lint_campaign(in_file(tmp_path, base=base), shipped)
    assert (problem.rule, problem.level, problem.place.line) == ("advertising", "warning", 4)
    assert "38-ФЗ" in problem.message
    allowed = base.replace("marketing", "marketing # lint: allow advertising")
    assert rules(in_file(tmp_path, base=allowed)) == []


def test_a_comment_that_allows_nothing_is_found(tmp_path: Path) -> None:
    assert rules(in_file(tmp_path, "# lint: allow advertising\n")) == [("useless-allow", 5)]


@pytest.mark.parametrize("ends", ["2026-12-06", "2027-01-08"])
def test_a_last_day_without_hours_is_no_fault(tmp_path: Path, ends: str) -> None:
    assert rules(in_file(tmp_path, f"ends: {ends}\ncalling: {{hours: mon-fri 10-20}}\n")) == []


def test_every_rule_tells_what_is_wrong_and_what_is_right() -> None:
    for rule in RULES.values():
        assert rule.meaning
        assert rule.mend


# The JSON Schema -------------------------------------------------------------------------------

SCHEMA = campaign_schema()


def as_json(file: Path) -> Any:
    """A file as an editor sees it: dates are texts."""
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(file.read_text("utf-8")), default=str))


def properties(node: Any) -> Iterator[dict[str, Any]]:
    yield from node["properties"].values()
    for definition in node.get("$defs", {}).values():
        yield from definition["properties"].values()


def test_it_is_a_schema_in_russian_and_plain_data() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    described = list(properties(SCHEMA))
    assert len(described) > 45
    assert all(re.search("[а-яё]", value["description"]) for value in described)


def test_every_default_that_it_offers_is_one() -> None:
    """An editor writes it into the file as it stands."""
    validator = Draft202012Validator(SCHEMA)
    for body in (SCHEMA, *SCHEMA["$defs"].values()):
        for key, value in body["properties"].items():
            if "default" in value:
                alone = validator.evolve(schema={**value, "$defs": SCHEMA["$defs"]})
                assert alone.is_valid(value["default"]), key
    assert SCHEMA["$defs"]["Frequency"]["properties"]["same_survey"]["default"] == "30d"


def test_it_takes_what_the_loader_takes(tmp_path: Path) -> None:
    validator = Draft202012Validator(SCHEMA)
    for file in (EXAMPLE, in_file(tmp_path)):
        assert [error.message for error in validator.iter_errors(as_json(file))] == []


@pytest.mark.parametrize(
    "more",
    [
        "colour: red\n",
        "target: 0\n",
        "consent: maybe\n",
        "retries: {busy: {after: [5], limit: 1}}\n",
        "pacing: {per_second: 0}\n",
        "quotas: [{id: a, where: {}, completed: 1}]\n",
        "caller: {number: 8495}\n",
    ],
)
def test_it_refuses_what_the_loader_refuses(tmp_path: Path, more: str) -> None:
    data = as_json(in_file(tmp_path, more))
    assert not Draft202012Validator(SCHEMA).is_valid(data)
    with pytest.raises(ValidationError):
        Campaign.model_validate(data)


# The commands ----------------------------------------------------------------------------------


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node with the surveys that ship, none of them published yet."""
    monkeypatch.setenv("OTKLIK_SURVEYS", str(SURVEYS))
    monkeypatch.setenv("OTKLIK_VAR", str(tmp_path))
    return tmp_path


def test_a_published_version_comes_before_the_file(node: Path) -> None:
    """Its own content is what will be run."""
    survey = load_survey(SURVEYS / "nps.yaml")
    often = survey.model_copy(
        update={"version": 77, "calling": survey.calling.model_copy(update={"max_attempts": 9})}
    )
    file = in_file(node, "retries: {attempts: 9}\n")
    assert run("lint", str(file))[0] == 1
    published = Published(node / "surveys")
    published.release(published.freeze(often))
    assert run("lint", str(file))[0] == 0
    named = in_file(node, base=SHORT.replace("survey: nps", "survey: nps@76"))
    assert "unknown-survey" in run("lint", str(named))[1]


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["campaign", *arguments])
    return done.exit_code, done.output


def test_campaign_lint(node: Path) -> None:
    assert run("lint", str(EXAMPLE)) == (0, f"{EXAMPLE}: в порядке\n")
    code, output = run("lint", str(in_file(node, "target: 0\n")), str(EXAMPLE))
    assert code == 1
    assert "campaign.yaml:5:1: error bad-value: target: нужно не меньше 1" in output
    assert f"{EXAMPLE}: в порядке" in output
    assert run("lint", str(node / "none.yaml"))[0] == 2


def test_campaign_lint_as_json(node: Path) -> None:
    code, output = run("lint", "--json", str(in_file(node, "retries: {attempts: 9}\n")))
    (problem,) = json.loads(output)
    assert code == 1
    assert (problem["rule"], problem["level"], problem["line"]) == ("more-attempts", "warning", 5)


def test_campaign_schema() -> None:
    code, output = run("schema")
    assert code == 0
    assert json.loads(output) == SCHEMA


@pytest.mark.parametrize(
    ("written", "said"),
    [("8 (916) 123-45-67", "номера +79161234567 никто не знает"), ("89161", "«89161»"), ("дом", "«дом»")],
)
def test_why_reads_a_number_as_the_other_commands_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, said: str
) -> None:
    monkeypatch.setenv("OTKLIK_VAR", str(tmp_path))
    done = CliRunner().invoke(app, ["contact", "why", written])
    assert done.exit_code != 0
    assert said in str(done.exception)
