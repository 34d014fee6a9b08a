"""What the SIP stack is started with, and how its identities are spelled."""

from __future__ import annotations

from baresip.config import Account, Config

from telephony.settings import SipSettings

_STACK_CODECS = {"PCMA": "PCMA", "PCMU": "PCMU", "G722": "G722/16000/1", "opus": "opus/16000/1"}
"""The stack's names. Opus runs at 16 kHz mono inside (see `stack_config`)."""


_ENCRYPTED = {"sdes": "srtp-mand", "dtls": "dtls_srtp"}
_SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def domain(settings: SipSettings) -> str:
    return settings.domain or f"{settings.host}:{settings.port}"


def uri_of(header: str) -> str:
    """The URI in a From or To value, without display name and parameters."""
    inner = header.partition("<")[2].partition(">")[0] or header
    return inner.partition(";")[0].strip()


def account(settings: SipSettings, user: str, *, registers: bool) -> str:
    made = Account(
        user=user,
        domain=domain(settings),
        password=settings.password,
        registrar=settings.outbound_proxy or None,
        reg_interval=settings.register_interval_s if registers else 0,
        transport=settings.transport,
        audio_codecs=tuple(_STACK_CODECS[name] for name in settings.codecs),
        dtmf_mode=settings.dtmf,
        auth_user=settings.auth_user or None,
        # Without `video_codecs=` the stack sends a re-INVITE of its own 50-150 ms after answering.
        extra_params=(
            "video_codecs=",
            "catchall=yes",
            *((f"mediaenc={_ENCRYPTED[settings.srtp]}",) if settings.srtp else ()),
        ),
    )
    return str(made.aor())


def stack_config(settings: SipSettings) -> Config:
    everywhere = settings.host in ("0.0.0.0", "::")  # noqa: S104  a comparison, not a bind
    return Config(
        net_interface=None if everywhere else settings.host,
        max_concurrent_calls=settings.max_calls,
        rtp_timeout=settings.rtp_timeout_s,
        expose_headers=(*settings.expose_headers, "To"),
        sip_trace=True,
        extra_config_text="\n".join(
            (
                f"sip_listen {settings.host}:{settings.port}",
                f"sip_cafile {settings.ca_file or _SYSTEM_CERTIFICATES}",
                "sip_verify_server yes",
                f"rtp_ports {settings.rtp_ports[0]}-{settings.rtp_ports[1]}",
                "audio_jitter_buffer_type adaptive",
                f"audio_jitter_buffer_ms {settings.jitter_ms[0]}-{settings.jitter_ms[1]}",
                # The Opus decoder itself makes 16 kHz mono: no resampler, no delay, and a ring
                # buffer of 2 s instead of 170 ms. The SDP still says opus/48000/2 (RFC 7587).
                "opus_samplerate 16000",
                "opus_stereo no",
                "opus_sprop_stereo no",
                "",
            )
        ),
    )
