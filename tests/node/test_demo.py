"""`otklik demo` disturbs nobody, whatever is set for the node at home."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli.demo import AFTER_SETUP, demo_settings, setup_seconds
from bot.settings import PROJECT
from bot.settings_load import load_settings


def test_nothing_of_the_companys_is_touched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "STORE__URL": "postgresql+asyncpg://otklik:secret@db/otklik",
        "SIP__TRUNK__DOMAIN": "pbx.example.org",
        "SIP__TRUNK__REGISTRATION": "true",
        "SIP__HOST": "0.0.0.0",  # noqa: S104
        "METRICS__PORT": "9464",
        "SURVEYS": str(tmp_path),
        "HANDOVER__FORM": "blind",
        "INBOUND__DEFAULT_SURVEY": "nps",
        "VAR": str(tmp_path / "var"),
    }.items():
        monkeypatch.setenv(f"OTKLIK_{name}", value)
    settings = demo_settings(load_settings())
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/var/demo/otklik.sqlite"
    assert (settings.sip.trunk.domain, settings.sip.trunk.registration) == ("", False)
    assert (settings.sip.host, settings.metrics.port) == ("127.0.0.1", 0)
    assert settings.surveys_dir == PROJECT / "survey_defs"
    assert (settings.handover.form, settings.inbound.default_survey) == ("bridge", "csat")


def test_a_set_up_of_another_day_is_no_part_of_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(AFTER_SETUP, raising=False)
    assert setup_seconds() == 0.0
