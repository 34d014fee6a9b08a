"""The settings of the SIP line: a part of bot/settings.py."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from bot.settings_base import Port, Section, by_commas, port_range

Codec = Literal["PCMA", "PCMU", "G722", "opus"]


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for network in value:
        try:
            ip_network(network)
        except ValueError:
            raise ValueError(
                f"«{network}» не адрес и не сеть: нужно как 192.0.2.7 или 192.0.2.0/24 (без лишних битов)"
            ) from None
    return value


Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(by_commas), AfterValidator(_networks)]


class TrunkSection(Section):
    """The company's PBX or a provider."""

    domain: str = Field("", description="узел АТС или оператора, можно с портом; пусто: без транка")
    registration: bool = Field(False, description="регистрироваться ли на domain: true или false")
    registration_interval_s: int = Field(
        600, ge=30, le=86400, description="на сколько секунд регистрироваться, от 30 до 86400"
    )
    proxy: str = Field("", description="узел, через который идут запросы, если не прямо на domain")
    auth_user: str = Field("", description="имя для проверки подлинности; пусто: как sip.user")
    password: SecretStr = Field(
        SecretStr(""), description="пароль транка; лучше переменной OTKLIK_SIP__TRUNK__PASSWORD"
    )
    transport: Literal["udp", "tcp", "tls"] = Field("udp", description="udp, tcp или tls")
    ca_file: str = Field(
        "", description="чьим сертификатам верить при transport = tls, PEM; пусто: системным"
    )
    srtp: Literal["", "sdes", "dtls"] = Field(
        "", description="шифровать звук: sdes (вместе с tls) или dtls; кто не шифрует, тому отказ; пусто: нет"
    )

    @model_validator(mode="after")
    def _where_to_register(self) -> TrunkSection:
        if self.registration and not self.domain:
            raise ValueError("registration = true, но domain пуст: укажите узел регистрации")
        return self


class SipSection(Section):
    """The line itself."""

    host: str = Field("127.0.0.1", description="адрес, на котором слушать SIP")
    port: Port = Field(5070, description="порт SIP, целое число от 1 до 65535")
    user: str = Field("otklik", min_length=1, description="имя узла в его SIP-адресе")
    rtp_ports: str = Field("30000-30999", description="порты RTP, вида 30000-30999: по два на звонок")
    codecs: Annotated[tuple[Codec, ...], NoDecode, BeforeValidator(by_commas)] = Field(
        ("PCMA", "PCMU", "G722", "opus"),
        min_length=1,
        description="кодеки по порядку: PCMA, PCMU, G722, opus",
    )
    max_calls: int = Field(100, ge=1, le=255, description="сколько звонков сразу, от 1 до 255")
    allowed: Networks = Field(
        (), description="кто звонит узлу, кроме транка: адреса и сети, как 10.0.0.7, 192.0.2.0/24"
    )
    media: Networks = Field(
        (), description="чей звук пускает `otklik firewall`, кроме транка и allowed: адреса и сети"
    )
    calls_per_s: int = Field(
        10,
        ge=1,
        le=1000,
        description="сколько INVITE (по TCP: соединений) в секунду от адреса пускает `otklik firewall`",
    )
    behind_edge: bool = Field(
        False, description="стоит ли перед узлом граница (deploy/kamailio и rtpengine): true или false"
    )
    rtp_timeout_s: int = Field(
        20, ge=0, le=3600, description="через сколько секунд без RTP класть трубку; 0: никогда"
    )
    display_name: str = Field("", description="имя, которое клиент может увидеть при звонке")
    dtmf: Literal["auto", "rtpevent", "info"] = Field(
        "auto", description="как слать тональный набор: auto, rtpevent (RFC 4733), info (SIP INFO)"
    )
    exposed_headers: Annotated[tuple[str, ...], NoDecode, BeforeValidator(by_commas)] = Field(
        (),
        max_length=15,
        description="заголовки INVITE, которые видит бот сверх inbound.headers; со всеми вместе до 15",
    )
    trunk: TrunkSection = Field(TrunkSection(), description="АТС или оператор связи")

    @property
    def rtp_range(self) -> tuple[int, int]:
        low, high = self.rtp_ports.split("-")
        return int(low), int(high)

    @field_validator("rtp_ports")
    @classmethod
    def _a_range(cls, value: str) -> str:
        return port_range(value)

    @model_validator(mode="after")
    def _room_for_all_calls(self) -> SipSection:
        low, high = self.rtp_range
        if (high - low + 1) // 2 < self.max_calls:
            raise ValueError(
                f"в rtp_ports {self.rtp_ports} помещается {(high - low + 1) // 2} звонков, "
                f"а max_calls = {self.max_calls}: расширьте диапазон (по два порта на звонок)"
            )
        return self
