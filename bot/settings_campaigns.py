"""A node among others, and the campaigns that they share."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator

from bot.settings_base import Section


class NodeSection(Section):
    """Who this node is to the others that share its database."""

    name: str = Field(
        "node",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$",
        description="имя узла: латинские буквы, цифры, точки, дефисы; у каждого узла одной базы своё",
    )


class CampaignsSection(Section):
    """Whom campaigns ring is in the database; this is how nodes share the work of it."""

    queue_url: SecretStr = Field(
        SecretStr("memory://"),
        description="очередь заданий обзвона: memory:// в самом узле или общая redis://узел:6379/1",
    )
    calls_per_s: float = Field(
        5.0, gt=0, le=100, description="сколько звонков обзвона в секунду выдержит транк, на узел"
    )

    @field_validator("queue_url")
    @classmethod
    def _memory_or_redis(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url != "memory://" and not url.startswith(("redis://", "rediss://")):
            raise ValueError("очередь: memory://, redis:// или rediss://")
        return value
