from __future__ import annotations

import pytest

from telephony.dialog import Dialog, Dialogs, farewell

OUT = "TX UDP 10.0.0.1:5070 -> 10.0.0.9:5060\n"
IN = "RX UDP 10.0.0.9:5060 -> 10.0.0.1:5070\n"


def message(start: str, *headers: str) -> str:
    return "\r\n".join([start, *headers, "Content-Length: 0", "", ""])


def call(ours: bool) -> list[str]:
    """An INVITE and its 200, sent by us or by the far end."""
    caller, called = ("us", "them") if ours else ("them", "us")
    invite = message(
        f"INVITE sip:{called}@x SIP/2.0",
        f"From: <sip:{caller}@x>;tag=a1",
        f"To: <sip:{called}@x>",
        "Call-ID: c1",
        "CSeq: 7 INVITE",
        f"Contact: <sip:{caller}@10.0.0.{'1' if ours else '7'}:5080>",
    )
    answer = message(
        "SIP/2.0 200 OK",
        "Record-Route: <sip:p1;lr>",
        "Record-Route: <sip:p2;lr>",
        f"f: <sip:{caller}@x>;tag=a1",
        f"t: <sip:{called}@x>;tag=b2",
        "i: c1",
        "CSeq: 7 INVITE",
        f"m: <sip:{called}@10.0.0.{'8' if ours else '1'}:5090>;expires=60",
    )
    return [OUT + invite, IN + answer] if ours else [IN + invite, OUT + answer]


def up(ours: bool) -> tuple[Dialogs, Dialog]:
    dialogs = Dialogs()
    invite, answer = call(ours)
    assert dialogs.see(invite) is None
    changed = dialogs.see(answer)
    assert changed is not None
    assert changed[0] == "c1"
    assert changed[1] is not None
    return dialogs, changed[1]


def test_a_call_of_ours_is_known_from_its_answer() -> None:
    _, dialog = up(ours=True)
    assert dialog == Dialog(
        call_id="c1",
        local="<sip:us@x>;tag=a1",
        remote="<sip:them@x>;tag=b2",
        target="sip:them@10.0.0.8:5090",
        peer="10.0.0.9:5060",
        routes=("<sip:p2;lr>", "<sip:p1;lr>"),
        cseq=7,
    )


def test_a_call_to_us_is_known_from_its_invite_and_our_answer() -> None:
    _, dialog = up(ours=False)
    assert dialog.local == "<sip:us@x>;tag=b2"
    assert dialog.remote == "<sip:them@x>;tag=a1"
    assert dialog.target == "sip:them@10.0.0.7:5080"
    assert dialog.routes == ("<sip:p1;lr>", "<sip:p2;lr>")
    assert dialog.cseq == 0


@pytest.mark.parametrize("way", [OUT, IN])
def test_a_bye_from_either_side_ends_it_once(way: str) -> None:
    dialogs, _ = up(ours=True)
    end = way + message("BYE sip:x SIP/2.0", "Call-ID: c1", "CSeq: 8 BYE")
    assert dialogs.see(end) == ("c1", None)
    assert dialogs.see(end) is None


def test_a_repeated_answer_and_rubbish_change_nothing() -> None:
    dialogs, _ = up(ours=True)
    assert dialogs.see(call(True)[1]) is None
    assert dialogs.see("") is None
    assert dialogs.see(OUT + "\x00") is None


def test_a_refusal_is_no_dialog() -> None:
    dialogs = Dialogs()
    invite, answer = call(True)
    dialogs.see(invite)
    assert dialogs.see(answer.replace("200 OK", "486 Busy Here")) is None


def test_the_bye_belongs_to_the_dialog() -> None:
    _, dialog = up(ours=True)
    lines = farewell(dialog, "10.0.0.1:6000").decode().split("\r\n")
    assert lines[0] == "BYE sip:them@10.0.0.8:5090 SIP/2.0"
    assert [line for line in lines if line.startswith("Route")] == [
        "Route: <sip:p2;lr>",
        "Route: <sip:p1;lr>",
    ]
    assert "From: <sip:us@x>;tag=a1" in lines
    assert "To: <sip:them@x>;tag=b2" in lines
    assert "CSeq: 1007 BYE" in lines
    assert lines[-2:] == ["", ""]


RINGING = IN + message(
    "SIP/2.0 180 Ringing", "f: <sip:us@x>;tag=a1", "t: <sip:them@x>;tag=b2", "i: c1", "CSeq: 7 INVITE"
)


def invite_with_via() -> str:
    return call(ours=True)[0].replace(
        "CSeq: 7 INVITE", "CSeq: 7 INVITE\r\nVia: SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKone;rport"
    )


def test_a_phone_that_only_rings_is_cancelled_with_its_invites_own_branch() -> None:
    dialogs = Dialogs()
    dialogs.see(invite_with_via())
    changed = dialogs.see(RINGING)
    assert changed is not None
    assert changed[1] is not None
    lines = farewell(changed[1], "10.0.0.1:6000").decode().split("\r\n")
    assert lines[0] == "CANCEL sip:them@x SIP/2.0"
    assert "Via: SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKone;rport" in lines
    assert "CSeq: 7 CANCEL" in lines
    assert "To: <sip:them@x>" in lines, "without the tag of the answer (9.1)"
    assert dialogs.see(RINGING) is None, "it rings already"
    assert dialogs.see(call(ours=True)[1]) is not None, "up: from now on it is hung up"


def test_a_phone_that_refuses_rings_no_more() -> None:
    dialogs = Dialogs()
    dialogs.see(invite_with_via())
    dialogs.see(RINGING)
    refusal = IN + message("SIP/2.0 486 Busy Here", "i: c1", "CSeq: 7 INVITE")
    assert dialogs.see(refusal) == ("c1", None)
    assert dialogs.see(refusal) is None
