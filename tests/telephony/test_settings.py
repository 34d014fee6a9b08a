from __future__ import annotations

from typing import Any

import pytest

from bot.core.errors import SettingsInvalid
from telephony.settings import SipSettings, WebRtcSettings


def test_the_defaults_hold_and_the_password_stays_unseen() -> None:
    settings = SipSettings(password="s3cret")
    assert "s3cret" not in repr(settings)
    assert settings.codecs == ("PCMA", "PCMU", "G722", "opus")


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": 0},
        {"port": 70000},
        {"max_calls": 0},
        {"max_calls": 256, "rtp_ports": (20000, 40000)},
        {"rtp_ports": (30000, 30001)},
        {"rtp_ports": (30999, 30000)},
        {"codecs": ()},
        {"codecs": ("PCMA", "G729")},
        {"user": ""},
        {"register": True},
        {"register": True, "domain": "sip.example", "register_interval_s": 0},
        {"rtp_timeout_s": -1},
        {"ack_timeout_s": 0},
        {"response_timeout_s": 0},
        {"jitter_ms": (100, 20)},
        {"expose_headers": tuple(f"X-{number}" for number in range(16))},
        {"expose_headers": ("X Queue",)},
    ],
)
def test_what_cannot_work_is_refused_with_its_name_and_what_would_be_right(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        SipSettings(**wrong)
    assert "sip." in refusal.value.message
    assert refusal.value.hint.startswith("Right would be")


@pytest.mark.parametrize(
    "wrong",
    [
        {"ports": (80, 90)},
        {"ports": (31000, 31010), "max_calls": 12},
        {"hosts": ("",)},
        {"max_calls": 0},
        {"relay_only": True},
        {"connect_s": 0},
        {"reconnect_s": 0},
        {"rejoin_s": -1},
    ],
)
def test_what_cannot_work_for_browsers_is_refused_as_well(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        WebRtcSettings(**wrong)
    assert "webrtc." in refusal.value.message
    assert refusal.value.hint.startswith("Right would be")


def test_the_password_of_the_relay_stays_unseen() -> None:
    assert "s3cret" not in repr(WebRtcSettings(turn=("turn.example", 3478), turn_password="s3cret"))
