"""The settings of whatever goes through a browser: the pages, and the calls from them."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from bot.settings_base import Seconds, Section, by_commas, port_range


def _host_and_port(value: str) -> str:
    if value and not re.fullmatch(r"[\w.-]+:[1-9]\d{0,4}", value):
        raise ValueError("нужен узел с портом, например stun.example.ru:3478")
    return value


HostPort = Annotated[str, AfterValidator(_host_and_port)]


class TurnSection(Section):
    """The relay for browsers that reach the node no other way."""

    server: HostPort = Field("", description="узел и порт TURN, например turn.example.ru:3478; пусто: нет")
    user: str = Field("", description="имя на TURN")
    password: SecretStr = Field(
        SecretStr(""), description="пароль TURN; лучше переменной OTKLIK_WEBRTC__TURN__PASSWORD"
    )
    transport: Literal["udp", "tcp", "tls"] = Field("udp", description="как идти на TURN: udp, tcp, tls")
    only: bool = Field(False, description="только через TURN: адреса узла браузер не узнает")

    @model_validator(mode="after")
    def _a_server(self) -> TurnSection:
        if self.only and not self.server:
            raise ValueError("only = true, но server пуст: укажите TURN")
        return self


class WebRtcSection(Section):
    """Calls from browsers: customers on a page, and the agent's desk."""

    hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(by_commas)] = Field(
        ("127.0.0.1",),
        description="адреса этой машины для звука из браузеров; пусто: все, кроме 127.0.0.1",
    )
    ports: str = Field("31000-31999", description="порты UDP для звука из браузеров: по одному на звонок")
    max_calls: int = Field(12, ge=1, le=255, description="сколько звонков из браузеров сразу")
    stun: HostPort = Field("", description="узел и порт STUN, если узел за NAT; пусто: не спрашивать")
    reconnect_s: Seconds = Field(
        20.0, description="сколько секунд ждать браузер, который пропал из сети, прежде чем класть трубку"
    )
    rejoin_s: float = Field(
        15.0, ge=0, le=3600, description="сколько секунд ждать страницу, которую закрыли: её могли обновить"
    )
    turn: TurnSection = Field(TurnSection(), description="ретранслятор TURN")

    @property
    def port_range(self) -> tuple[int, int]:
        low, high = self.ports.split("-")
        return int(low), int(high)

    @field_validator("ports")
    @classmethod
    def _a_range(cls, value: str) -> str:
        return port_range(value)

    @model_validator(mode="after")
    def _room_for_all_calls(self) -> WebRtcSection:
        low, high = self.port_range
        if high - low + 1 < self.max_calls:
            raise ValueError(
                f"в ports {self.ports} помещается {high - low + 1} звонков, а max_calls = {self.max_calls}: "
                "расширьте диапазон"
            )
        return self


class WebSection(Section):
    """The pages: the agents' desk, and surveys that customers take in the browser."""

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
