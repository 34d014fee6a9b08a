"""The settings: where they come from, which of them wins, and what is said of those that cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.core.errors import SettingsInvalid
from bot.settings import PROJECT
from bot.settings_load import as_environment, every_key, line_of, load_settings
from bot.settings_rooms import alert_rules, mail_settings


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("OTKLIK_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def write(text: str) -> None:
    Path("otklik.toml").write_text(text, encoding="utf-8")


def test_without_anything_a_node_can_start() -> None:
    settings = load_settings()
    assert settings.home == PROJECT
    assert settings.var_dir == PROJECT / "var"
    assert settings.database_url == f"sqlite+aiosqlite:///{PROJECT / 'var/otklik.sqlite'}"
    assert (settings.sip.host, settings.sip.port) == ("127.0.0.1", 5070)


def test_the_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    write('[sip]\nport = 5080\nmax_calls = 7\n[sip.trunk]\ndomain = "pbx.example"\n')
    monkeypatch.setenv("OTKLIK_SIP__PORT", "5090")
    settings = load_settings()
    assert (settings.sip.port, settings.sip.max_calls) == (5090, 7)
    assert settings.sip.trunk.domain == "pbx.example"
    assert load_settings(sip={"port": 5100}).sip.port == 5100
    assert load_settings(sip={"port": 5100}).sip.max_calls == 7


def test_the_file_may_lie_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "etc.toml"
    file.write_text('log_level = "debug"\nvar = "/var/lib/otklik"\n')
    monkeypatch.setenv("OTKLIK_CONFIG", str(file))
    settings = load_settings()
    assert settings.log_level == "debug"
    assert settings.control_socket == Path("/var/lib/otklik/run/node.sock")


def test_lists_and_tables_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTKLIK_SIP__CODECS", "PCMA, G722")
    monkeypatch.setenv("OTKLIK_HANDOVER__AGENTS", '{"Ирина": "sip:100@pbx"}')
    monkeypatch.setenv("OTKLIK_INBOUND__ROUTES__100", "nps")
    settings = load_settings()
    assert settings.sip.codecs == ("PCMA", "G722")
    assert settings.handover.agents == {"Ирина": "sip:100@pbx"}
    assert settings.inbound.routes["100"].survey == "nps"


def test_a_child_process_gets_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    write('[handover.agents]\ndemo = "sip:demo@127.0.0.1"\n')
    trunk = {"domain": "pbx", "password": 'с пробелом и "кавычкой"'}
    settings = load_settings(sip={"port": 5999, "codecs": ("G722",), "trunk": trunk})
    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


def test_no_password_is_shown() -> None:
    trunk = {"domain": "pbx", "password": "qwerty"}
    settings = load_settings(sip={"trunk": trunk}, store={"url": "postgresql+asyncpg://a:qwerty@b/c"})
    assert "qwerty" not in repr(settings)
    assert "qwerty" not in repr(settings.sip_settings())


def refused() -> SettingsInvalid:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings()
    return caught.value


@pytest.mark.parametrize(
    ("text", "line", "says", "hints"),
    [
        ("[sip]\nprot = 5070\n", 2, "sip.prot: такого ключа нет", "sip.port"),
        ("port = 5070\n", 1, "port: такого ключа нет", "sip.port"),
        ("[sip.trunk]\n\npassw = 'x'\n", 3, "sip.trunk.passw", "sip.trunk.password"),
        ("[telephony]\nx = 1\n", 1, "telephony: такого ключа нет", "бывают"),
        ('log_level = "info"\n[sip]\nport = "пять"\n', 3, "sip.port: «пять» не целое число", "от 1 до 65535"),
        ("[sip]\nport = 70000\n", 2, "не больше 65535", "от 1 до 65535"),
        ("[sip]\nport = 0\n", 2, "не меньше 1", "5070"),
        ("[sip]\nuser = 5\n", 2, "не строка", "имя узла"),
        ('[sip]\ncodecs = ["G729"]\n', 2, "«G729» не подходит", "PCMA"),
        ("[sip]\ncodecs = []\n", 2, "не может быть пустым", "кодеки"),
        ('[sip]\nrtp_ports = "30000"\n', 2, "диапазон портов", "30000-30999"),
        ('[sip]\nrtp_ports = "30000-30009"\n', 1, "помещается 5 звонков", ""),
        ("[sip.trunk]\nregistration = true\n", 1, "domain пуст", ""),
        ("sip = 3\n", 1, "не раздел", ""),
        ('[handover.agents]\ndemo = "Ирина"\n', 1, "SIP-адрес", "sip:demo@"),
        ('[store]\nurl = "mysql://a:qwerty@b"\n', 2, "postgresql+asyncpg://", ""),
        ('[speech]\nproxy = "socks5://proxy:1080"\n', 2, "начинается с http://", "http://узел:3128"),
        ('[speech]\nmirrors = ["/srv/models"]\n', 2, "начинается с http://", "папок"),
        ("[call]\nmax_call_s = 0\n", 2, "больше 0", "секундах"),
        ("[sip]\nhost = 127.0.0.1\n", 2, "это не TOML", "кавычки"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_line(text: str, line: int, says: str, hints: str) -> None:
    write(text)
    error = refused()
    assert error.message.startswith(f"otklik.toml:{line}:")
    assert says in error.message
    assert hints in error.hint
    assert "qwerty" not in str(error)


@pytest.mark.parametrize(
    ("name", "value", "says", "hints"),
    [
        ("OTKLIK_SIP__PORT", "abc", "переменная OTKLIK_SIP__PORT: «abc» не целое число", "от 1 до 65535"),
        ("OTKLIK_SIP__PROT", "1", "переменная OTKLIK_SIP__PROT: такой настройки нет", "sip.port"),
        ("OTKLIK_PORT", "1", "такой настройки нет", "sip.port"),
        ("OTKLIK_HANDOVER__AGENTS", "demo", "переменная с таблицей не читается", "JSON"),
        ("OTKLIK_SIP__TRUNK__REGISTRATION", "может быть", "не true и не false", "регистрироваться"),
        ("OTKLIK_CALL__MAX_CALL_S", "долго", "не число", "секундах"),
        ("OTKLIK_CONFIG", "no-such-file.toml", "файла настроек нет", "OTKLIK_CONFIG"),
    ],
)
def test_what_is_wrong_in_the_environment_is_told_with_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str, hints: str
) -> None:
    monkeypatch.setenv(name, value)
    error = refused()
    assert says in error.message
    assert hints in error.hint


def test_a_wrong_password_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    write("[sip.trunk]\npassword = 12345\n")
    assert "12345" not in str(refused())


def test_variables_that_are_no_settings_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTKLIK_LANG", "en")
    monkeypatch.setenv("OTKLIK_TEST_POSTGRES", "anything")
    load_settings()


def test_lines_are_found_in_all_ways_of_writing() -> None:
    text = 'log_level = "info"\nsip.port = 1\n[handover]\nring_s = 5\nagents = { a = "b" }\n'
    text += '[sip.trunk]\ndomain="x"\n'
    assert line_of(text, ["log_level"]) == 1
    assert line_of(text, ["sip", "port"]) == 2
    assert line_of(text, ["handover", "ring_s"]) == 4
    assert line_of(text, ["handover", "agents", "a"]) == 5
    assert line_of(text, ["sip", "trunk", "domain"]) == 7
    assert line_of(text, ["nowhere"]) == 0


def test_every_key_says_what_would_be_right() -> None:
    keys = dict(every_key())
    assert len(keys) > 35
    assert [key for key, field in keys.items() if not field.description] == []


def test_rooms_get_their_own_values() -> None:
    settings = load_settings(
        sip={"max_calls": 9, "trunk": {"domain": "pbx", "registration": True}}, handover={"form": "blind"}
    )
    sip = settings.sip_settings()
    assert (sip.max_calls, sip.domain, sip.register, sip.rtp_ports) == (9, "pbx", True, (30000, 30999))
    turn = {"server": "turn.example.ru:3478", "password": "qwerty", "only": True}
    webrtc = load_settings(webrtc={"hosts": "192.0.2.1, 192.0.2.2", "turn": turn}).webrtc_settings()
    assert (webrtc.hosts, webrtc.ports) == (("192.0.2.1", "192.0.2.2"), (31000, 31999))
    assert (webrtc.stun, webrtc.turn, webrtc.relay_only) == (None, ("turn.example.ru", 3478), True)
    assert "qwerty" not in repr(webrtc)
    assert settings.call_settings().handover_form == "blind"
    speech = settings.speech_settings()
    assert speech.models_dir == PROJECT / "models"
    assert speech.synthesiser.engine in ("espeak", "silero")  # `auto` is decided here
    assert settings.store_settings().url == settings.database_url


@pytest.mark.parametrize(
    ("section", "message"),
    [('url = "http://redis"', "начинается с redis://"), ("ttl_s = 5", "не меньше 15 секунд")],
)
def test_presence_that_cannot_be_is_refused(section: str, message: str) -> None:
    write(f"[presence]\n{section}\n")
    with pytest.raises(SettingsInvalid, match=message):
        load_settings()


@pytest.mark.parametrize(
    ("section", "wrong"),
    [("node", {"name": "a/b"}), ("node", {"name": ""}), ("campaigns", {"queue_url": "amqp://localhost"})],
)
def test_a_nodes_name_and_queue_are_checked(section: str, wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsInvalid, match=f"{section}.{next(iter(wrong))}"):
        load_settings(**{section: wrong})


MAIL = '[mail]\nhost = "smtp.test"\nsender = "otklik@example.ru"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[mail]\nhost = "smtp.test"\n', "sender пуст"),
        ('[mail]\nsender = "otklik"\n', "нужен адрес почты"),
        (f'{MAIL}user = "otklik"\nsecurity = "none"\n', "пароль пошёл бы открытым"),
        ('[alerts]\nmail_to = ["olga@example.ru"]\n', "mail.host пуст"),
        (f'{MAIL}[alerts]\nmail_to = ["olga"]\n', "нужен адрес почты"),
        ("[alerts]\nopt_out_share = 5\n", "alerts.opt_out_share"),
    ],
)
def test_mail_that_cannot_go_out_is_refused(text: str, message: str) -> None:
    write(text)
    with pytest.raises(SettingsInvalid, match=message):
        load_settings()


def test_who_is_told_of_alerts(monkeypatch: pytest.MonkeyPatch) -> None:
    write(f"{MAIL}[alerts]\nopt_out_minutes = 30\n")
    monkeypatch.setenv("OTKLIK_ALERTS__MAIL_TO", "olga@example.ru, boris@example.ru")
    monkeypatch.setenv("OTKLIK_MAIL__PASSWORD", "secret")
    settings = load_settings()
    assert alert_rules(settings).mail_to == ("olga@example.ru", "boris@example.ru")
    assert alert_rules(settings).window_s == 1800
    mail = mail_settings(settings)
    assert (mail.host, mail.security, mail.password.get_secret_value()) == ("smtp.test", "starttls", "secret")
