"""What a node says of itself when it is up: one screen, in the order in which people look for things."""

from __future__ import annotations

from collections.abc import Iterable

from bot.accounts.first import LOGIN
from bot.settings import Settings
from bot.settings_rooms import speech_settings
from bot.speech.advice import recognition, unheard_of, voice
from bot.surveys.schema import Survey
from bot.words import words


def first_sign_in(password: str | None, admins: int) -> dict[str, str]:
    """`password` is that of the administrator who was just made, `admins` how many there are."""
    if password:
        said = words(
            f"{LOGIN}, пароль {password} — показан один раз, при входе его сменят",
            f"{LOGIN}, password {password}: shown this once, to be changed at sign-in",
        )
    elif not admins:
        said = words(
            f"otklik accounts change {LOGIN} --role admin — имя {LOGIN} есть, но не администратор",
            f"otklik accounts change {LOGIN} --role admin: there is an {LOGIN} who is no administrator",
        )
    else:
        return {}
    return {words("Первый вход", "First sign-in"): said}


def about(
    settings: Settings, surveys: Iterable[Survey], database: str, entry: dict[str, str]
) -> dict[str, str]:
    """`database` is its kind, `entry` how the first administrator comes in."""
    speech = speech_settings(settings)
    trunk = settings.sip.trunk
    surveys = tuple(surveys)
    lacking = unheard_of(speech, surveys)
    pages = settings.web.address if settings.web.port else words("нет: web.port = 0", "none: web.port = 0")
    return {
        words("Страницы", "Pages"): pages,
        **entry,
        words("SIP", "SIP"): f"{settings.sip.host}:{settings.sip.port}, {', '.join(settings.sip.codecs)}",
        "RTP": words(
            f"порты {settings.sip.rtp_ports} на всех адресах: снаружи пускайте только транк",
            f"ports {settings.sip.rtp_ports} on every address: let only the trunk reach them",
        ),
        words("Транк", "Trunk"): trunk.domain or words("нет: звонки на sip:имя@узел", "none"),
        words("Диалог", "Dialogue"): f"Rasa 127.0.0.1:{settings.dialogue.rasa_port}, "
        + words("действия ", "actions ")
        + f"127.0.0.1:{settings.dialogue.actions_port}",
        words("Распознавание", "Recognition"): str(recognition(speech)),
        **({words("Не слышно", "Not heard"): lacking} if lacking else {}),
        words("Голос", "Voice"): str(voice(speech)),
        words("Опросы", "Surveys"): ", ".join(f"{each.id} v{each.version}" for each in surveys),
        words("База", "Database"): database,
        words("Метрики", "Metrics"): f"http://{settings.metrics.host}:{settings.metrics.port}/metrics"
        if settings.metrics.port
        else words("нет: metrics.port = 0", "none: metrics.port = 0"),
        words("Сокет", "Socket"): str(settings.control_socket),
        words("Журналы", "Logs"): str(settings.log_dir),
    }
