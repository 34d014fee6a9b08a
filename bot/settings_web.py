"""The settings of the pages; a section of bot/settings.py."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class WebSection(BaseModel):
    """The pages: the agents' desk, and surveys that customers take in the browser."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = Field("127.0.0.1", description="адрес, на котором слушать веб-страницы")
    port: int = Field(8080, ge=0, le=65535, description="порт веб-страниц; 0: без них")
    public_url: str = Field(
        "", description="адрес, который видят люди, вида https://otklik.example.ru; пусто: host и port"
    )
    behind_proxy: bool = Field(
        False, description="стоит ли перед узлом прокси, который пишет X-Forwarded-For: true или false"
    )
    tls_cert: str = Field("", description="сертификат TLS с цепочкой, PEM; пусто: без TLS")
    tls_key: str = Field("", description="его ключ, PEM")
    secret: SecretStr = Field(
        SecretStr(""),
        description="чем подписывать ссылки, не короче 32 знаков; пусто: узел придумает сам и запомнит в var",
    )
    session_h: float = Field(12.0, gt=0, le=720, description="через сколько часов входить заново")

    @field_validator("public_url")
    @classmethod
    def _an_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/")):
            raise ValueError("нужен адрес вида https://otklik.example.ru, без пути")
        return value.rstrip("/")

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < 32:
            raise ValueError("короче 32 знаков: подпись по нему подберут")
        return value

    @model_validator(mode="after")
    def _both_or_none(self) -> WebSection:
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ValueError("tls_cert и tls_key задают вместе")
        return self

    @property
    def address(self) -> str:
        """Where people find the pages, without a slash at its end."""
        if self.public_url:
            return self.public_url
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls_cert else 'http'}://{host}:{self.port}"
