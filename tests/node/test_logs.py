"""Logs: machine-readable, and without personal data whoever writes them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr, ValidationError

from bot.core.context import CallContext, TurnSource
from bot.core.events import PERSONAL_FIELDS, CallStarted, TurnHeard
from bot.logs import configure_logs, mask


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_named_fields() -> None:
    stream = io.StringIO()
    configure_logs("info", stream=stream)
    structlog.get_logger("bot.test").info("call started", call_id="call-1", survey_id="nps")
    (line,) = lines(stream)
    assert line["event"] == "call started"
    assert line["call_id"] == "call-1"
    assert line["level"] == "info"
    assert datetime.fromisoformat(str(line["timestamp"])).tzinfo is not None


def test_libraries_log_into_the_same_stream() -> None:
    stream = io.StringIO()
    configure_logs("warning", stream=stream)
    logging.getLogger("some.library").info("too quiet")
    logging.getLogger("some.library").warning("slow query: %s", "SELECT 1")
    (line,) = lines(stream)
    assert (line["event"], line["logger"]) == ("slow query: SELECT 1", "some.library")


def test_a_file_takes_the_lines(tmp_path: Path) -> None:
    file = tmp_path / "log/node.log"
    configure_logs("info", file=file)
    structlog.get_logger().info("ready", текст="да")
    assert json.loads(file.read_text(encoding="utf-8"))["текст"] == "да"


@pytest.mark.parametrize("field", sorted(PERSONAL_FIELDS))
def test_no_personal_field_passes(field: str) -> None:
    stream = io.StringIO()
    configure_logs("debug", stream=stream)
    structlog.get_logger().info("heard", **{field: "жуткая очередь +79161234567"})
    assert "очередь" not in stream.getvalue()
    assert "7916123" not in stream.getvalue()


def test_masks_say_what_helps() -> None:
    masked = mask(
        None,
        "info",
        {
            "remote": "sip:+79161234567@pbx.example:5060",
            "phone": "112",
            "text": "ждал час",
            "words": ("ждал", "час"),
            "heard": "",
        },
    )
    assert masked == {
        "remote": "…67",
        "phone": "***",
        "text": "<8 chars>",
        "words": "<2 items>",
        "heard": "",
    }


def test_a_whole_event_is_masked_inside() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    started = CallStarted(
        call_id="c",
        seq=0,
        at=at,
        direction="outbound",
        remote="sip:+79161234567@pbx",
        survey_id="nps",
        survey_hash="h",
        attempt_id="a",
    )
    heard = TurnHeard(call_id="c", seq=1, at=at, question_id="q", source=TurnSource.SPEECH, text="ужасно")
    masked = str(mask(None, "info", {"first": started, "all": [heard.model_dump()]}))
    assert "7916123" not in masked
    assert "ужасно" not in masked
    assert "nps" in masked


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "qwerty"},
        {"sip_password": "qwerty"},
        {"auth": SecretStr("qwerty")},
        {"trunk": {"auth_user": "otklik", "password": "qwerty"}},
        {"headers": {"Authorization": "Digest qwerty"}},
        {"address": "sip:otklik:qwerty@pbx.example"},
        {"url": "postgresql+asyncpg://otklik:qwerty@db/otklik"},
        {"urls": ["sips:otklik:qwerty@pbx.example"]},
    ],
)
def test_no_password_passes(fields: dict[str, object]) -> None:
    assert "qwerty" not in str(mask(None, "info", fields))


def test_an_address_without_a_password_stays_whole() -> None:
    fields = {"proxy": "sip:pbx.example:5060", "server": "http://127.0.0.1:5105/webhook", "at": "a:b@c"}
    assert mask(None, "info", dict(fields)) == fields


def test_a_traceback_shows_no_local_variables() -> None:
    stream = io.StringIO()
    configure_logs("info", stream=stream)
    phone = "+79161234567"
    try:
        raise RuntimeError(str(len(phone)))
    except RuntimeError:
        structlog.get_logger().exception("failed")
    (line,) = lines(stream)
    assert "RuntimeError: 12" in str(line["exception"])
    assert "7916123" not in stream.getvalue()


def test_no_phone_passes_in_whatever_text_it_stands() -> None:
    stream = io.StringIO()
    configure_logs("info", stream=stream)
    logging.getLogger("library").warning("connecting to 'sip:+79161234567@trunk.example:5060;user=phone'")
    try:
        raise ValueError("tel:8-916-123-45-67 was not reached")
    except ValueError:
        structlog.get_logger("bot.test").exception("call failed", reason="sip:79161234567@pbx: 503")
    assert "916" not in stream.getvalue()
    first, second = lines(stream)
    assert first["event"] == "connecting to 'sip:…67@trunk.example:5060;user=phone'"
    assert second["reason"] == "sip:…67@pbx: 503"
    assert "tel:…67 was not reached" in str(second["exception"])


@pytest.mark.parametrize(
    "text", ["sip:demo@127.0.0.1:5090", "127.0.0.1:5070", "sip:100@pbx", "sip:127.0.0.1:5070"]
)
def test_what_is_no_phone_stays_whole(text: str) -> None:
    assert mask(None, "info", {"reason": text}) == {"reason": text}


def test_a_refused_value_is_not_shown() -> None:
    """What pydantic says of a wrong value goes to the log with the traceback."""
    with pytest.raises(ValidationError) as refused:
        CallContext.model_validate(
            {"call_id": "c", "survey_hash": "h", "direction": "in", "customer": {"name": "Мария"}}
        )
    assert "Мария" not in str(refused.value)
