"""Who is told of what by mail, and how mail goes out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from bot.core.mail_addresses import MailAddress, MailAddressOrNone
from bot.settings_base import Port, Section, by_commas


class MailSection(Section):
    """The company's mail server, for alerts and scheduled reports."""

    host: str = Field("", description="узел SMTP, например smtp.example.ru; пусто: почты нет")
    port: Port = Field(587, description="порт SMTP: 587 для starttls, 465 для tls, 25 внутри своей сети")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="starttls, tls или none (только внутри своей сети)"
    )
    user: str = Field("", description="имя на SMTP; пусто: без входа")
    password: SecretStr = Field(
        SecretStr(""), description="пароль SMTP; лучше переменной OTKLIK_MAIL__PASSWORD"
    )
    sender: MailAddressOrNone = Field("", description="от чьего имени письма, например otklik@example.ru")

    @model_validator(mode="after")
    def _whole(self) -> MailSection:
        if self.host and not self.sender:
            raise ValueError("host задан, но sender пуст: от чьего имени писать?")
        if self.user and self.security == "none":
            raise ValueError("user задан, а security = none: пароль пошёл бы открытым")
        return self


class AlertsSection(Section):
    """What managers are told at once."""

    low_score: bool = Field(True, description="тревога о каждой низкой оценке (правило опроса low_score)")
    opt_outs: int = Field(
        5, ge=0, le=10_000, description="сколько «не звоните» подряд — уже волна; 0: не следить"
    )
    opt_out_minutes: float = Field(60.0, gt=0, le=1440, description="за сколько минут")
    opt_out_share: float = Field(
        0.05, ge=0, le=1, description="и какую долю отвеченных звонков они составили, от 0 до 1"
    )
    mail_to: Annotated[tuple[MailAddress, ...], NoDecode, BeforeValidator(by_commas)] = Field(
        (), description="кому писать о тревогах: адреса через запятую; нужен раздел [mail]"
    )
