"""Whether a node can have its ports."""

from __future__ import annotations

import socket

from bot.core.errors import PortInUse
from bot.settings import Settings
from bot.words import words


def require_free_ports(settings: Settings) -> None:
    """Say who is in the way before anything is started. Raises PortInUse."""
    tcp = socket.SOCK_STREAM
    metrics = ("metrics.port", settings.metrics.host, settings.metrics.port, tcp)
    web = ("web.port", settings.web.host, settings.web.port, tcp)
    for name, host, port, kind in (
        ("sip.port", settings.sip.host, settings.sip.port, socket.SOCK_DGRAM),
        ("dialogue.rasa_port", "127.0.0.1", settings.dialogue.rasa_port, tcp),
        ("dialogue.actions_port", "127.0.0.1", settings.dialogue.actions_port, tcp),
        *((metrics,) if settings.metrics.port else ()),
        *((web,) if settings.web.port else ()),
    ):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind == tcp))
            try:
                probe.bind((host, port))
            except OSError as error:
                raise PortInUse(
                    words(
                        f"{host}:{port} ({name}) занять нельзя: {error.strerror}",
                        f"{host}:{port} ({name}) cannot be bound: {error.strerror}",
                    ),
                    hint=words(
                        f"остановите того, кто его держит, или задайте другой {name}",
                        f"stop whoever holds it, or set another {name}",
                    ),
                ) from error
