"""Each room's frozen settings value, made from the settings of the node."""

from __future__ import annotations

import secrets
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from bot.call.settings import CallSettings
from bot.core.clock import Clock
from bot.core.files import write_whole
from bot.delivery.settings import AlertRules, MailSettings
from bot.inbound.settings import HeaderNames, InboundSettings, Route
from bot.settings import DEMO_MODEL, Settings
from bot.speech.chosen import read_chosen
from bot.speech.models import find_entry, model_path
from bot.speech.settings import (
    FetchSettings,
    PromptSettings,
    RecogniserSettings,
    SpeechSettings,
    SynthesiserSettings,
)
from bot.store.settings import StoreSettings
from bot.triage.presence import LocalBoard, PresenceBoard, PresenceSettings
from bot.web.settings import MODULES, WebSettings
from telephony.settings import SipSettings, WebRtcSettings


def sip_settings(settings: Settings) -> SipSettings:
    sip, trunk = settings.sip, settings.sip.trunk
    return SipSettings(
        host=sip.host,
        port=sip.port,
        rtp_ports=sip.rtp_range,
        user=sip.user,
        domain=trunk.domain,
        display_name=sip.display_name,
        outbound_proxy=trunk.proxy,
        auth_user=trunk.auth_user,
        password=trunk.password.get_secret_value(),
        register=trunk.registration,
        register_interval_s=trunk.registration_interval_s,
        transport=trunk.transport,
        ca_file=str(settings.home / trunk.ca_file) if trunk.ca_file else "",
        srtp=trunk.srtp,
        codecs=sip.codecs,
        dtmf=sip.dtmf,
        max_calls=sip.max_calls,
        trunks=(trunk.domain, trunk.proxy),
        allowed=sip.allowed,
        rtp_timeout_s=sip.rtp_timeout_s,
        expose_headers=settings.exposed_headers,
    )


def inbound_settings(settings: Settings) -> InboundSettings:
    inbound = settings.inbound
    return InboundSettings(
        routes={called: Route(**route.model_dump()) for called, route in inbound.routes.items()},
        default_survey=inbound.default_survey,
        headers=HeaderNames(**inbound.headers.model_dump()),
    )


def webrtc_settings(settings: Settings) -> WebRtcSettings:
    webrtc = settings.webrtc
    return WebRtcSettings(
        hosts=webrtc.hosts,
        ports=webrtc.port_range,
        stun=_address(webrtc.stun),
        turn=_address(webrtc.turn.server),
        turn_user=webrtc.turn.user,
        turn_password=webrtc.turn.password.get_secret_value(),
        turn_transport=webrtc.turn.transport,
        relay_only=webrtc.turn.only,
        max_calls=webrtc.max_calls,
        reconnect_s=webrtc.reconnect_s,
        rejoin_s=webrtc.rejoin_s,
    )


def _address(value: str) -> tuple[str, int] | None:
    host, _, port = value.rpartition(":")
    return (host, int(port)) if value else None


def call_settings(settings: Settings) -> CallSettings:
    return CallSettings(
        answer_timeout_s=settings.call.answer_timeout_s,
        max_call_s=settings.call.max_call_s,
        handover_form=settings.handover.form,
        handover_ring_s=settings.handover.ring_s,
        handover_decide_s=settings.handover.decide_s,
        handover_limit_s=settings.handover.limit_s,
    )


SILERO_MODEL = SynthesiserSettings().silero_model
DEFAULT_VOICES = {"espeak": "ru", "rhvoice": "elena"}


def silero_voices(settings: Settings) -> dict[str, str]:
    """Silero's models by language: those of the settings, else those that were chosen, else the one under
    MIT. Raises SettingsInvalid."""
    return {"ru": SILERO_MODEL, **(settings.speech.voices or read_chosen(settings.var_dir).tts)}


def with_voice(settings: Settings) -> Settings:
    """With the engine and the voices of this moment written out: what a running node speaks with does not
    change under it, whatever is chosen or installed meanwhile. Raises ModelMissing, SettingsInvalid."""
    fixed = {"engine": engine_of(settings), "voices": silero_voices(settings)}
    return settings.model_copy(update={"speech": settings.speech.model_copy(update=fixed)})


def engine_of(settings: Settings) -> Literal["espeak", "silero", "rhvoice"]:
    """The synthesiser that `auto` stands for: Silero where its model and its packages are installed."""
    if settings.speech.engine != "auto":
        return settings.speech.engine
    file = model_path(find_entry(silero_voices(settings)["ru"], settings.models_dir), settings.var_dir)
    packages = all(find_spec(name) is not None for name in ("torch", "silero_stress"))
    return "silero" if file.exists() and packages else "espeak"


def recogniser_settings(settings: Settings) -> RecogniserSettings:
    """What the settings name wins over what `otklik models use` chose. Raises SettingsInvalid."""
    chosen = read_chosen(settings.var_dir)
    by_language = {**chosen.asr, **settings.speech.models}
    return RecogniserSettings(
        model=settings.speech.model or by_language.pop(settings.speech.language, DEMO_MODEL),
        by_language={key: name for key, name in by_language.items() if key != settings.speech.language},
        by_survey={**chosen.surveys, **settings.speech.survey_models},
        threads=settings.speech.threads,
        grammar=settings.speech.grammar,
    )


def speech_settings(settings: Settings) -> SpeechSettings:
    """Raises ModelMissing where the manifest of models is not there."""
    engine, silero = engine_of(settings), silero_voices(settings)
    voice = DEFAULT_VOICES.get(engine) or find_entry(silero["ru"], settings.models_dir).voice
    return SpeechSettings(
        models_dir=settings.models_dir,
        var_dir=settings.var_dir,
        recogniser=recogniser_settings(settings),
        synthesiser=SynthesiserSettings(
            engine=engine,
            silero_model=silero["ru"],
            foreign_models=tuple((key, name) for key, name in sorted(silero.items()) if key != "ru"),
            voice=settings.speech.voice or voice,
            socket=settings.run_dir / "synthesiser.sock",
        ),
        prompts=PromptSettings(folder=settings.var_dir / "prompts"),
        fetch=FetchSettings(proxy=settings.speech.proxy, mirrors=settings.speech.mirrors),
    )


def web_settings(settings: Settings) -> WebSettings:
    """The secret that signs links is the node's own unless it is set: made once, kept in `var`."""
    web = settings.web
    return WebSettings(
        host=web.host,
        port=web.port,
        address=web.address,
        secret=web.secret.get_secret_value() or _own_secret(settings.var_dir / "web.secret"),
        modules=MODULES,
        session_s=web.session_h * 3600,
        timezone=settings.timezone,
        behind_proxy=web.behind_proxy,
        cert=str(settings.home / web.tls_cert) if web.tls_cert else "",
        key=str(settings.home / web.tls_key) if web.tls_key else "",
        recordings=settings.recordings_dir,
        spool=settings.spool_dir,
        recording_keys=settings.recording_keys,
        uploads=settings.var_dir / "uploads",
    )


def _own_secret(file: Path) -> str:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, secrets.token_hex(32).encode())
    return file.read_text()


def mail_settings(settings: Settings) -> MailSettings:
    return MailSettings(**{name: getattr(settings.mail, name) for name in type(settings.mail).model_fields})


def alert_rules(settings: Settings) -> AlertRules:
    alerts = settings.alerts
    return AlertRules(
        low_score=alerts.low_score,
        opt_outs=alerts.opt_outs,
        window_s=alerts.opt_out_minutes * 60,
        share=alerts.opt_out_share,
        mail_to=alerts.mail_to,
    )


def store_settings(settings: Settings) -> StoreSettings:
    return StoreSettings(url=settings.database_url)


def presence_settings(settings: Settings) -> PresenceSettings:
    """A node is known by its machine and its SIP port: no two that share a Redis have both alike."""
    return PresenceSettings(node=f"{socket.gethostname()}:{settings.sip.port}", ttl_s=settings.presence.ttl_s)


def presence_board(settings: Settings, clock: Clock) -> PresenceBoard:
    """In the process itself, or in the Redis that the settings name. Raises SettingsInvalid."""
    url = settings.presence.url.get_secret_value()
    if not url:
        return LocalBoard(presence_settings(settings), clock)
    from bot.triage.presence_redis import RedisBoard  # only a node that shares its board loads redis

    return RedisBoard.open(url, presence_settings(settings))
