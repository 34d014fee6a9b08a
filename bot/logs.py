"""How the processes of a node log: JSON lines in files, readable lines on a terminal, and no personal data.

Code logs with static messages and named fields: `log.info("call started", call_id=...)`. Fields
named in `bot.core.events.PERSONAL_FIELDS` are masked here, in one place, whoever logs them: of a
phone number the last two digits stay, of words their length. A phone in a SIP or tel URI is masked in
whatever text it stands. Passwords never appear.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, Literal, TextIO

import structlog
from pydantic import BaseModel, SecretBytes, SecretStr

from bot.core.events import PERSONAL_FIELDS

PHONE_FIELDS = frozenset({"remote", "phone", "customer"})
"""Personal fields whose last two digits stay, so that two calls can be told apart."""
SECRET_FIELDS = re.compile(r"password|passwd|secret|token|authorization|api_key|\bcookie", re.IGNORECASE)
CREDENTIALS = re.compile(
    r"(?P<before>(?<=[a-z0-9+.-]://)[^\s:@/]*|(?<![^\s@/])(?=[^\s@/]*@)[^\s@/]*?\bsips?:[^\s:@/]*):[^\s@/]+@",
    re.IGNORECASE,
)
"""A password in a URI: `sip:user:password@host`, `postgresql+asyncpg://user:password@host`."""
SHORT_NUMBER = 4
"""Digits of a number within a PBX: no customer's."""
PHONE_URI = re.compile(r"\b(?P<scheme>sips?:|tel:)(?P<phone>\+?\d[\d()-]*\d)", re.IGNORECASE)
"""A phone in a URI, wherever it stands: in a reason, a library's message, a traceback."""
MASK = "***"
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

Level = Literal["debug", "info", "warning", "error"]


def configure_logs(level: Level = "info", *, file: Path | None = None, stream: TextIO | None = None) -> None:
    """Send structlog's and the libraries' logs to a file, or to `stream` (stderr by default).

    A terminal gets readable lines, everything else one JSON object a line. Call it once a process,
    at its start; a second call replaces the first.
    """
    target = stream if stream is not None else sys.stderr
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = logging.FileHandler(file, encoding="utf-8")
    else:
        handler = logging.StreamHandler(target)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor]
    if file is None and target.isatty():
        plain = structlog.dev.plain_traceback  # the pretty one shows local variables: personal data
        last = [mask, structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    else:
        json_line = structlog.processors.JSONRenderer(ensure_ascii=False)
        last = [structlog.processors.format_exc_info, mask, json_line]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(LEVELS[level])
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def mask(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor: a line without personal data and secrets."""
    return {key: _masked(key, value) for key, value in event.items()}


def _masked(key: str, value: Any) -> Any:
    if SECRET_FIELDS.search(key) or isinstance(value, SecretStr | SecretBytes):
        return MASK if value else value
    if key in PERSONAL_FIELDS:
        return _personal(key, value)
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(inner): _masked(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked("", item) for item in value]
    if not isinstance(value, str):
        return value
    return PHONE_URI.sub(_without_phone, CREDENTIALS.sub(rf"\g<before>:{MASK}@", value))


def _without_phone(uri: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", uri["phone"])
    return f"{uri['scheme']}…{digits[-2:]}" if len(digits) > SHORT_NUMBER else uri[0]


def _personal(key: str, value: Any) -> Any:
    if value is None or value == "" or isinstance(value, bool):
        return value
    if key in PHONE_FIELDS and isinstance(value, str):
        digits = re.sub(r"\D", "", value.split("@", 1)[0])
        return f"…{digits[-2:]}" if len(digits) > SHORT_NUMBER else MASK
    if isinstance(value, str):
        return f"<{len(value)} chars>"
    if isinstance(value, list | tuple | set | frozenset):
        return f"<{len(value)} items>"
    return MASK


def why_it_stopped(line: str) -> list[str]:
    """Reason and hint of the line by which a program of ours said why it stopped; empty for any other."""
    try:
        said = json.loads(line)
    except ValueError:
        return []
    if not isinstance(said, dict) or not said.get("reason"):
        return []
    return [str(said[key]) for key in ("reason", "hint") if said.get(key)]
