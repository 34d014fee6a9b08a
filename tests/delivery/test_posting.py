from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bot.core.clock import SystemClock
from bot.delivery.endpoints import Endpoint
from bot.delivery.posting import Postman, retry_after_s, signed
from bot.store.tables_delivery import EventName
from tests.delivery.test_addresses import Names

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def endpoint(url: str = "https://crm.example.ru/", *, private: bool = False) -> Endpoint:
    return Endpoint("e", "crm", url, tuple(EventName), False, private, NOW, None, "", SecretStr(SECRET))


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("120", 120.0),
        ("Sun, 01 Mar 2026 09:05:00 GMT", 300.0),
        ("Sun, 01 Mar 2026 08:00:00 GMT", 0.0),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("1.5", None),
    ],
)
def test_when_the_receiver_wants_it_again(written: str, seconds: float | None) -> None:
    assert retry_after_s(written, lambda: NOW) == seconds


def test_whoever_holds_the_secret_can_tell_that_it_is_ours() -> None:
    now = SystemClock().now()
    headers = signed(endpoint(), "msg_1", '{"a":"я"}', now)
    assert Webhook(SECRET).verify('{"a":"я"}', headers) == {"a": "я"}
    for data, changed in (('{"a":"а"}', {}), ('{"a":"я"}', {"webhook-id": "msg_2"})):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(data, {**headers, **changed})


def test_the_secret_is_not_shown() -> None:
    assert SECRET not in repr(endpoint())
    assert SECRET not in str(endpoint().secret)


async def test_what_stood_in_the_database_is_looked_at_again() -> None:
    """An address that was let in before, or written there by hand."""
    async with Postman(SystemClock()) as postman:
        for url in ("http://127.0.0.1:1/", "https://10.0.0.5/", "ftp://crm.example.ru/"):
            tried = await postman.post(endpoint(url), "msg_1", "{}")
            assert tried.status is None
            assert tried.error.startswith("address: ")


async def test_a_name_that_stands_for_this_machine_is_refused_at_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.delivery.addresses.ThreadedResolver", lambda: Names("127.0.0.1"))
    async with Postman(SystemClock()) as postman:
        tried = await postman.post(endpoint("https://crm.example.ru:1/"), "msg_1", "{}")
    assert "within a private network" in tried.error
