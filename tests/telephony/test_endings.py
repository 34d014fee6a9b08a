from __future__ import annotations

from typing import Literal

import pytest

from bot.core.endings import EndKind
from telephony.endings import CallHistory, cause_of

Direction = Literal["inbound", "outbound"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("486 Busy Here", EndKind.BUSY),
        ("600 Busy Everywhere", EndKind.BUSY),
        ("603 Decline", EndKind.DECLINED),
        ("480 Temporarily Unavailable", EndKind.NO_ANSWER),
        ("408 Request Timeout", EndKind.NO_ANSWER),
        ("404 Not Found", EndKind.NOT_FOUND),
        ("410 Gone", EndKind.NOT_FOUND),
        ("484 Address Incomplete", EndKind.NOT_FOUND),
        ("604 Does Not Exist Anywhere", EndKind.NOT_FOUND),
        ("401 Unauthorized", EndKind.FORBIDDEN),
        ("403 Forbidden", EndKind.FORBIDDEN),
        ("407 Proxy Authentication Required", EndKind.FORBIDDEN),
        ("302 Moved Temporarily", EndKind.REDIRECTED),
        ("500 Server Internal Error", EndKind.FAILED),
        ("488 Not Acceptable Here", EndKind.FAILED),
        ("503 Service Unavailable", EndKind.FAILED),
        ("Connection timed out [110]", EndKind.UNREACHABLE),
        ("No route to host [113]", EndKind.UNREACHABLE),
        ("Connection refused [111]", EndKind.UNREACHABLE),
    ],
)
def test_an_outbound_call_that_did_not_come_about(text: str, kind: EndKind) -> None:
    cause = cause_of(text, CallHistory("outbound"))
    assert cause.kind is kind
    assert cause.text == text
    assert cause.status == (int(text[:3]) if text[0].isdigit() else None)


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Connection reset by peer [104]", EndKind.REMOTE_HANGUP),
        ("rtp stream error", EndKind.MEDIA_LOST),
        ("Connection timed out [110]", EndKind.MEDIA_LOST),
        ("Call transfered", EndKind.TRANSFERRED),
        ("Protocol error [71]", EndKind.FAILED),
    ],
)
def test_a_call_that_was_up(direction: Direction, text: str, kind: EndKind) -> None:
    assert cause_of(text, CallHistory(direction, confirmed=True)).kind is kind


def test_a_200_that_is_never_confirmed() -> None:
    history = CallHistory("inbound", answering=True)
    assert cause_of("Connection timed out [110]", history).kind is EndKind.NEVER_ACKED


def test_a_caller_who_gives_up() -> None:
    cause = cause_of("Connection reset by peer [104]", CallHistory("inbound"))
    assert cause.kind is EndKind.CANCELLED


def test_a_bye_while_a_refer_is_under_way_leaves_its_outcome_unknown() -> None:
    history = CallHistory("inbound", confirmed=True, referring=True)
    assert cause_of("Connection reset by peer [104]", history).kind is EndKind.TRANSFER_UNKNOWN
    assert cause_of("Call transfered", history).kind is EndKind.TRANSFERRED


@pytest.mark.parametrize(
    "kind",
    [EndKind.LOCAL_HANGUP, EndKind.CANCELLED, EndKind.REJECTED, EndKind.NO_ANSWER, EndKind.NEVER_ACKED],
)
def test_an_end_that_we_asked_for_is_ours_whatever_the_stack_calls_it(kind: EndKind) -> None:
    assert cause_of("Rejected by user", CallHistory("inbound", wanted=kind)).kind is kind


def test_who_was_told_to_take_our_place_has_done_so_when_the_far_end_goes() -> None:
    history = CallHistory("outbound", confirmed=True, replacing=True)
    assert cause_of("Connection reset by peer [104]", history).kind is EndKind.TRANSFERRED
