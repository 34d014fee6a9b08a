"""Calls that were announced: matched by the most exact, once, and not for ever."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from pydantic import ValidationError

from bot.core.clock import ManualClock
from bot.core.errors import BadInput, Unavailable
from bot.inbound import announcements
from bot.inbound.announcements import Announcement, AnnouncementBook

PHONE = "74950000001"


class Desk:
    """A book with a clock at hand."""

    def __init__(self) -> None:
        self.book = AnnouncementBook()
        self.clock = ManualClock()
        self._calls = 0

    def announce(self, agent: str, *, key: str = "", **which: str | int) -> tuple[str, bool]:
        said = Announcement.model_validate({"agent": agent, **which})
        return self.book.announce(said, self.clock.now(), key=key)

    def meet(
        self, *, called: str = "", phones: Iterable[str] = (), token: str = "", call_id: str = ""
    ) -> str | None:
        self._calls += 1
        found = self.book.meet(
            call_id or f"call-{self._calls}",
            called=called,
            phones=tuple(phones),
            token=token,
            now=self.clock.now(),
        )
        return found[1].agent if found else None


def test_an_announcement_is_used_once() -> None:
    desk = Desk()
    desk.announce("anna", phone="8 (495) 000-00-01")
    assert desk.meet(phones=["79990000000"]) is None
    assert desk.meet(phones=["79990000000", PHONE]) == "anna"
    assert desk.meet(phones=[PHONE]) is None
    assert desk.book.waiting == 0


def test_a_call_that_asks_again_gets_the_same() -> None:
    desk = Desk()
    desk.announce("anna", called="701")
    desk.announce("boris", called="701")
    assert [desk.meet(called="701", call_id="call-x") for _ in range(2)] == ["anna", "anna"]
    assert desk.meet(called="701") == "boris"


def test_the_most_exact_match_wins() -> None:
    desk = Desk()
    desk.announce("by-token", token="w-1")
    desk.announce("by-both", phone=PHONE, called="701")
    desk.announce("by-phone", phone=PHONE)
    desk.announce("by-number", called="701")
    order = [desk.meet(called="701", phones=[PHONE], token="w-1") for _ in range(5)]
    assert order == ["by-token", "by-both", "by-phone", "by-number", None]


def test_everything_that_an_announcement_names_must_be_right() -> None:
    desk = Desk()
    desk.announce("anna", phone=PHONE, called="701")
    assert desk.meet(called="702", phones=[PHONE]) is None
    assert desk.meet(called="701", phones=["79990000000"]) is None
    desk.announce("boris", token="w-1", called="701")
    assert desk.meet(called="701", token="w-2") is None


def test_of_two_for_one_caller_the_newer_and_for_one_number_the_older() -> None:
    desk = Desk()
    for agent in ("first", "second"):
        desk.announce(agent, phone=PHONE)
        desk.announce(f"{agent}-number", called="701")
    assert desk.meet(phones=[PHONE]) == "second"
    assert desk.meet(called="701") == "first-number"


def test_it_expires() -> None:
    desk = Desk()
    desk.announce("anna", phone=PHONE, valid_s=30)
    desk.clock.advance(29.9)
    desk.announce("boris", phone="79990000000", valid_s=30)
    desk.clock.advance(0.1)
    assert desk.meet(phones=[PHONE]) is None
    assert desk.meet(phones=["79990000000"]) == "boris"


def test_a_key_counts_once_and_stands_for_one_announcement() -> None:
    desk = Desk()
    first, new = desk.announce("anna", phone=PHONE, key="k-1", valid_s=30)
    assert new
    assert desk.announce("anna", phone=PHONE, key="k-1", valid_s=30) == (first, False)
    with pytest.raises(BadInput, match="k-1"):
        desk.announce("boris", phone=PHONE, key="k-1", valid_s=30)
    assert desk.meet(phones=[PHONE]) == "anna"
    assert desk.announce("anna", phone=PHONE, key="k-1", valid_s=30) == (first, False), "used is not new"
    assert desk.meet(phones=[PHONE]) is None
    desk.clock.advance(30)
    assert desk.announce("boris", phone=PHONE, key="k-1")[1], "its time is over"


def test_there_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcements, "MAX_ANNOUNCEMENTS", 2)
    desk = Desk()
    desk.announce("anna", called="701", valid_s=30)
    desk.announce("boris", called="701")
    with pytest.raises(Unavailable, match="2"):
        desk.announce("clara", called="701")
    desk.clock.advance(30)
    assert desk.announce("clara", called="701")[1]


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"agent": "anna"},
        {"phone": PHONE, "valid_s": 1},
        {"phone": PHONE, "agnet": "x"},
        {"phone": "7" * 65},
    ],
)
def test_what_names_no_call_or_too_much_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Announcement.model_validate(said)
