"""Routes and headers as they are set: what is meant, and what is said of a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.errors import SettingsInvalid, SurveyInvalid
from bot.inbound.settings import InboundSettings, Route
from bot.planning import check_routes, survey_id_of
from bot.settings import PROJECT
from bot.settings_load import as_environment, load_settings
from bot.settings_rooms import inbound_settings, sip_settings
from bot.surveys.loader import load_survey

TOML = """
[inbound.routes]
701 = "csat"
"+7495*" = { survey = "nps", department = "billing", agent = "anna", language = "en" }
[inbound.headers]
agent = "X-Operator"
customer_name = ""
"""


def write(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "otklik.toml").write_text(text, encoding="utf-8")


def test_routes_and_headers_reach_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, TOML, monkeypatch)
    settings = load_settings()
    found = inbound_settings(settings)
    assert found.routes == {
        "701": Route("csat"),
        "+7495*": Route("nps", department="billing", agent="anna", language="en"),
    }
    assert (found.headers.agent, found.headers.customer_name) == ("X-Operator", "")
    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)
    (tmp_path / "otklik.toml").unlink()
    assert inbound_settings(load_settings()) == found, "a child process has the same"


def test_the_stack_hands_on_whatever_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, TOML + '[sip]\nexposed_headers = ["x-operator", "X-Queue"]\n', monkeypatch)
    exposed = sip_settings(load_settings()).expose_headers
    assert {"X-Operator", "X-Department", "User-to-User", "P-Asserted-Identity", "X-Queue"} <= set(exposed)
    assert "" not in exposed
    assert len({name.lower() for name in exposed}) == len(exposed)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[inbound.routes]\n701 = { survay = "csat" }\n', "похоже на survey"),
        ('[inbound.routes]\n701 = { department = "x" }\n', "нет опроса"),
        ('[inbound.routes]\n701 = ""\n', "нет опроса"),
        ('[inbound.routes]\n"7*01" = "csat"\n', "звёздочка только в конце"),
        ('[inbound.routes]\n701 = { survey = "csat", language = "de" }\n', "de"),
        ('[inbound.headers]\nagent = "X Agent"\n', "не имя заголовка"),
        ('[inbound.headers]\nagnet = "X-Agent"\n', "agnet"),
        (f"[sip]\nexposed_headers = {[f'X-{n}' for n in range(8)]}\n", "не больше 15"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str) -> None:
    write(tmp_path, text, monkeypatch)
    with pytest.raises(SettingsInvalid) as refused:
        load_settings()
    assert told in f"{refused.value.message} {refused.value.hint}"


def test_a_route_speaks_the_language_that_it_names() -> None:
    languages = {"nps": "ru", "nps_en": "en", "csat": "ru"}
    assert survey_id_of(Route("nps"), languages) == "nps"
    assert survey_id_of(Route("nps", language="ru"), languages) == "nps"
    assert survey_id_of(Route("nps", language="en"), languages) == "nps_en"
    with pytest.raises(SurveyInvalid, match="на языке en нет") as refused:
        survey_id_of(Route("csat", language="en"), languages)
    assert "csat_en" in refused.value.hint


def test_a_route_to_no_survey_names_the_number_and_the_nearest() -> None:
    csat = load_survey(PROJECT / "survey_defs" / "csat.yaml")
    check_routes(InboundSettings(routes={"701": Route("csat")}), [csat])
    with pytest.raises(SettingsInvalid, match=r"inbound\.routes\.702: .*«cast»") as refused:
        check_routes(InboundSettings(routes={"701": Route("csat"), "702": Route("cast")}), [csat])
    assert refused.value.hint == "похоже на csat"
