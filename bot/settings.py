"""The settings of a node: environment `OTKLIK_*` over `otklik.toml` over the defaults written here.

    [sip]                        OTKLIK_SIP__PORT=5070
    port = 5070

`load_settings` is the way in (bot/settings_load.py: it refuses unknown keys and explains what is
wrong). Rooms never see this class: each has a frozen settings value of its own, made from this one
in bot/settings_rooms.py. Every `description` is read by people: it is the hint of an error message
and the table in docs/administrators.md.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bot.core.routing import HandoverForm
from bot.core.zones import Zone
from bot.settings_base import Port, Seconds, Section
from bot.settings_campaigns import CampaignsSection, NodeSection
from bot.settings_inbound import InboundSection
from bot.settings_notices import AlertsSection, MailSection
from bot.settings_privacy import PrivacySection
from bot.settings_sip import SipSection
from bot.settings_speech import SpeechSection
from bot.settings_web import WebRtcSection, WebSection

if TYPE_CHECKING:  # the rooms are imported when their settings are asked for: the settings load fast
    from bot.call.settings import CallSettings
    from bot.speech.settings import SpeechSettings
    from bot.store.settings import StoreSettings
    from telephony.settings import SipSettings, WebRtcSettings

PROJECT = Path(__file__).resolve().parent.parent
CONFIG_VARIABLE = "OTKLIK_CONFIG"
CONFIG_NAME = "otklik.toml"
MAX_HEADERS = 15
"""INVITE headers that the stack hands on, beside the called address itself."""
ATTRIBUTING_HEADERS = ("User-to-User", "P-Asserted-Identity")
DEMO_MODEL = "vosk-model-otklik-demo-ru"


def _sip_uri(value: str) -> str:
    if not value.lower().startswith(("sip:", "sips:")) or len(value.split(":", 1)[1]) == 0:
        raise ValueError("нужен SIP-адрес вида sip:имя@узел:порт")
    return value


class CallSection(Section):
    answer_timeout_s: Seconds = Field(30.0, description="сколько секунд ждать, пока клиент снимет трубку")
    max_call_s: Seconds = Field(900.0, description="самый длинный разговор в секундах")
    drain_s: Seconds = Field(
        30.0, description="сколько секунд после остановки узла дать разговорам на то, чтобы кончиться самим"
    )
    realtime: bool = Field(True, description="звук раньше всех программ машины, если система позволяет")


class DialogueSection(Section):
    """Rasa and its action server, both on loopback. They answer their own node alone, by a token that
    is new with each start."""

    rasa_port: Port = Field(5105, description="порт сервера Rasa на 127.0.0.1")
    actions_port: Port = Field(5155, description="порт сервера действий на 127.0.0.1")
    timeout_s: Seconds = Field(2.0, description="сколько секунд ждать ответа Rasa на реплику")


class StoreSection(Section):
    url: SecretStr = Field(
        SecretStr(""),
        description="база: sqlite+aiosqlite:///файл или postgresql+asyncpg://имя:пароль@узел/база; "
        "пусто: otklik.sqlite в папке var",
    )

    @field_validator("url")
    @classmethod
    def _known_database(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url and not url.startswith(("sqlite+aiosqlite://", "postgresql+asyncpg://")):
            raise ValueError("адрес базы начинается с sqlite+aiosqlite:// или postgresql+asyncpg://")
        return value


class HandoverSection(Section):
    form: HandoverForm = Field(
        "bridge",
        description="перевод: bridge (звук идёт через узел), attended (REFER с Replaces, если транк умеет) "
        "или blind (REFER, узел уходит)",
    )
    ring_s: Seconds = Field(25.0, description="сколько секунд звонить сотруднику")
    decide_s: Seconds = Field(
        40.0, description="сколько секунд сотруднику, который снял трубку, дать на «да» или «нет»"
    )
    limit_s: Seconds = Field(
        120.0, description="через сколько секунд ожидания клиента больше никому не звонить, а обещать звонок"
    )
    returns_s: Seconds = Field(
        1800.0,
        description="сколько секунд клиента с открытым обращением, который звонит сам, сразу соединять "
        "с тем же сотрудником",
    )
    agents: dict[str, str] = Field(
        {}, description='кому переводить: имя = SIP-адрес, например demo = "sip:demo@127.0.0.1:5090"'
    )

    @field_validator("agents")
    @classmethod
    def _addresses(cls, value: dict[str, str]) -> dict[str, str]:
        return {target: _sip_uri(uri) for target, uri in value.items()}


class PresenceSection(Section):
    """Who is there, and whose places are taken: in the node itself, or in a Redis that nodes share."""

    url: SecretStr = Field(
        SecretStr(""),
        description="где держать присутствие сотрудников: redis://узел:6379/0; пусто: в самом узле",
    )
    ttl_s: Seconds = Field(
        90.0, description="через сколько секунд занятое место умершего узла снова свободно, от 15"
    )

    @field_validator("url")
    @classmethod
    def _redis(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url and not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("адрес Redis начинается с redis:// или rediss://")
        return value

    @field_validator("ttl_s")
    @classmethod
    def _longer_than_a_renewal(cls, value: float) -> float:
        if value < 15:
            raise ValueError("нужно не меньше 15 секунд: место продлевается каждую треть этого времени")
        return value


class MetricsSection(Section):
    """What Prometheus scrapes: numbers without names, but still nobody else's business."""

    host: str = Field("127.0.0.1", description="адрес, на котором Prometheus берёт /metrics")
    port: int = Field(0, ge=0, le=65535, description="порт /metrics, например 9464; 0: не отдавать")


class Settings(BaseSettings):
    """Everything that can be set. Relative paths are relative to `home`."""

    model_config = SettingsConfigDict(
        env_prefix="OTKLIK_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    home: Path = Field(PROJECT, description="папка проекта: models/, survey_defs/, dialogue/")
    var: Path = Field(Path("var"), description="папка для всего, что узел пишет: база, записи, журналы")
    recordings: Path = Field(Path("var/recordings"), description="папка записей разговоров")
    surveys: Path = Field(Path("survey_defs"), description="папка опросов")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="подробность журнала: debug, info, warning, error"
    )
    timezone: Zone = Field(
        "Europe/Moscow",
        description="часовой пояс компании, как Europe/Moscow: для клиентов, чей пояс неизвестен",
    )
    node: NodeSection = NodeSection()
    sip: SipSection = SipSection()
    webrtc: WebRtcSection = WebRtcSection()
    call: CallSection = CallSection()
    dialogue: DialogueSection = DialogueSection()
    speech: SpeechSection = SpeechSection()
    store: StoreSection = StoreSection()
    handover: HandoverSection = HandoverSection()
    inbound: InboundSection = InboundSection()
    presence: PresenceSection = PresenceSection()
    campaigns: CampaignsSection = CampaignsSection()
    metrics: MetricsSection = MetricsSection()
    mail: MailSection = MailSection()
    alerts: AlertsSection = AlertsSection()
    web: WebSection = WebSection()
    privacy: PrivacySection = PrivacySection()

    @property
    def exposed_headers(self) -> tuple[str, ...]:
        """The INVITE headers that the stack hands on: what incoming calls are told apart by, and what is
        asked for beyond that; each once, however it is written."""
        read = (*self.inbound.headers.names(), *ATTRIBUTING_HEADERS, *self.sip.exposed_headers)
        return tuple({name.lower(): name for name in reversed(read)}.values())[::-1]

    @model_validator(mode="after")
    def _mail_goes_out(self) -> Settings:
        if self.alerts.mail_to and not self.mail.host:
            raise ValueError("alerts.mail_to задан, но mail.host пуст: укажите узел SMTP")
        return self

    @model_validator(mode="after")
    def _few_enough_headers(self) -> Settings:
        if len(self.exposed_headers) > MAX_HEADERS:
            raise ValueError(
                f"sip.exposed_headers и inbound.headers вместе: {len(self.exposed_headers)} заголовков, "
                f"а стек отдаёт не больше {MAX_HEADERS}; лишние в inbound.headers сделайте пустыми"
            )
        return self

    @model_validator(mode="after")
    def _keys_lie_elsewhere(self) -> Settings:
        keys = self.recording_keys
        for name, folder in (("recordings", self.recordings_dir), ("surveys", self.surveys_dir)):
            if keys is not None and keys.resolve().is_relative_to(folder.resolve()):
                raise ValueError(
                    f"privacy.recording_keys: ключи не могут лежать в {name}: они ушли бы с ней в копию"
                )
        return self

    @property
    def var_dir(self) -> Path:
        return self.home / self.var

    @property
    def recordings_dir(self) -> Path:
        return self.home / self.recordings

    @property
    def recording_keys(self) -> Path | None:
        """The file of keys that recordings are encrypted with; None where they are not."""
        given = self.privacy.recording_keys
        return self.home / given if given else None

    @property
    def surveys_dir(self) -> Path:
        return self.home / self.surveys

    @property
    def models_dir(self) -> Path:
        return self.home / "models"

    @property
    def log_dir(self) -> Path:
        return self.var_dir / "log"

    @property
    def run_dir(self) -> Path:
        """Unix sockets: a path must stay under 108 bytes (unix(7)), so nothing is nested deeper."""
        return self.var_dir / "run"

    @property
    def control_socket(self) -> Path:
        return self.run_dir / "node.sock"

    @property
    def spool_dir(self) -> Path:
        return self.var_dir / "spool"

    def sip_settings(self) -> SipSettings:
        from bot.settings_rooms import sip_settings

        return sip_settings(self)

    def webrtc_settings(self) -> WebRtcSettings:
        from bot.settings_rooms import webrtc_settings

        return webrtc_settings(self)

    def call_settings(self) -> CallSettings:
        from bot.settings_rooms import call_settings

        return call_settings(self)

    def speech_settings(self) -> SpeechSettings:
        """Raises ModelMissing where the manifest of models is not there."""
        from bot.settings_rooms import speech_settings

        return speech_settings(self)

    def store_settings(self) -> StoreSettings:
        from bot.settings_rooms import store_settings

        return store_settings(self)

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL, password included: not for logs."""
        return self.store.url.get_secret_value() or f"sqlite+aiosqlite:///{self.var_dir / 'otklik.sqlite'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=config_file())


def config_file() -> Path:
    """Where `otklik.toml` would be: OTKLIK_CONFIG, else the working folder. It need not exist."""
    return Path(os.environ.get(CONFIG_VARIABLE) or CONFIG_NAME)
