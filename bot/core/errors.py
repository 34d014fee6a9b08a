"""Every error that Otklik raises on purpose.

    OtklikError
    ├── BadInput                 the user gave something that cannot be used (exit status 2)
    │   ├── SettingsInvalid      a setting or `otklik.toml`
    │   ├── SurveyInvalid        a survey file
    │   ├── SurveyVersionTaken   a survey's version that is published with another content (1)
    │   ├── CampaignInvalid      a campaign file
    │   ├── ScenarioInvalid      a simulation scenario
    │   ├── AudioInvalid         a sound file
    │   ├── OfferInvalid         a browser's session description or ICE candidate
    │   ├── NumberBlocked        a phone whose owner asked never to be called
    │   ├── KeyReused            an idempotency key that stands for something else (1)
    │   ├── AccountTaken         a login that somebody has already (1)
    │   ├── LastAdmin            the one administrator that there is: he stays one (1)
    │   ├── SignInRefused        a login or a password that is wrong (1)
    │   ├── LinkRefused          a link to a survey that is forged, run out or used elsewhere (1)
    │   └── CallOver             a call to be gone on with that has ended (1)
    ├── Unavailable              something that should be there is not (exit status 3)
    │   ├── ModelMissing         a speech or dialogue model
    │   ├── FetchFailed          a model that could not be fetched; what was there stays
    │   ├── LicenceUnanswered    a model whose licence nobody has agreed to yet
    │   ├── PortInUse            an address that cannot be bound
    │   ├── TrunkUnreachable     the SIP trunk does not answer or refuses to register
    │   ├── DialogueUnavailable  Rasa or its action server
    │   ├── SynthesiserUnavailable
    │   ├── RecogniserUnavailable
    │   ├── StoreUnavailable     the database
    │   ├── DiskFull
    │   ├── RecordingsLocked     the key of encrypted recordings
    │   ├── NodeUnavailable      no node answers on its control socket
    │   └── TooManyTries         somebody must wait before he may try again; carries `wait_s`
    ├── CallError                one call went wrong; the node is well
    │   ├── DialFailed           an outbound call that was not established; carries its `EndCause`
    │   ├── LegClosed            an operation on a line that has ended
    │   └── TransferFailed       a REFER that was refused or failed; the call may live on
    ├── RecordingDamaged         an encrypted recording that does not open with its key
    └── RuntimeDied              the SIP stack of this process is dead; the process must be replaced

Each class has a stable `code` for programs and an `exit_status` for the shell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bot.core.endings import EndCause


class OtklikError(Exception):
    """The root. `message` says what happened, `hint` what would be right or what to do."""

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file: `line` and `column` count from 1; 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.file]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)


class BadInput(OtklikError):
    """Something a person wrote cannot be used; `place` says where it stands."""

    code = "bad_input"
    exit_status = 2

    def __init__(self, message: str, *, hint: str = "", place: Place | None = None) -> None:
        super().__init__(f"{place}: {message}" if place else message, hint=hint)
        self.place = place


class SettingsInvalid(BadInput):
    code = "settings_invalid"


class SurveyInvalid(BadInput):
    code = "survey_invalid"


class SurveyVersionTaken(BadInput):
    """A survey whose id and version are frozen with another content; it can be mended, so status 1."""

    code = "survey_version_taken"
    exit_status = 1


class CampaignInvalid(BadInput):
    code = "campaign_invalid"


class ScenarioInvalid(BadInput):
    code = "scenario_invalid"


class AudioInvalid(BadInput):
    code = "audio_invalid"


class OfferInvalid(BadInput):
    code = "offer_invalid"


class NumberBlocked(BadInput):
    code = "number_blocked"


class ZoneUnknown(BadInput):
    code = "zone_unknown"


class RequestsStopped(BadInput):
    code = "requests_stopped"


class KeyReused(BadInput):
    code = "key_reused"
    exit_status = 1


class AccountTaken(BadInput):
    code = "account_taken"
    exit_status = 1


class LastAdmin(BadInput):
    code = "last_admin"
    exit_status = 1


class SignInRefused(BadInput):
    code = "sign_in_refused"
    exit_status = 1


class CallOver(BadInput):
    code = "call_over"
    exit_status = 1


class LinkRefused(BadInput):
    """`why` is for programs: `unknown`, `expired` or `redeemed`."""

    code = "link_refused"
    exit_status = 1

    def __init__(self, message: str, *, hint: str = "", place: Place | None = None, why: str = "") -> None:
        super().__init__(message, hint=hint, place=place)
        self.why = why


class Unavailable(OtklikError):
    """A part that should be there is not; the hint says how to get it back."""

    code = "unavailable"
    exit_status = 3


class ModelMissing(Unavailable):
    code = "model_missing"


class FetchFailed(Unavailable):
    code = "fetch_failed"


class LicenceUnanswered(Unavailable):
    code = "licence_unanswered"


class PortInUse(Unavailable):
    code = "port_in_use"


class TrunkUnreachable(Unavailable):
    code = "trunk_unreachable"


class DialogueUnavailable(Unavailable):
    code = "dialogue_unavailable"


class SynthesiserUnavailable(Unavailable):
    code = "synthesiser_unavailable"


class RecogniserUnavailable(Unavailable):
    code = "recogniser_unavailable"


class StoreUnavailable(Unavailable):
    code = "store_unavailable"


class DiskFull(Unavailable):
    code = "disk_full"


class RecordingsLocked(Unavailable):
    code = "recordings_locked"


class RecordingDamaged(OtklikError):
    """It was changed, cut, renamed or spoilt: nothing of it is given out."""

    code = "recording_damaged"


class NodeUnavailable(Unavailable):
    code = "node_unavailable"


class TooManyTries(Unavailable):
    """`wait_s`: in so many seconds the next try may be made."""

    code = "too_many_tries"

    def __init__(self, message: str, *, hint: str = "", wait_s: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.wait_s = wait_s


class CallError(OtklikError):
    """One call went wrong."""

    code = "call_error"


class DialFailed(CallError):
    """An outbound call was not established; `cause` says why."""

    code = "dial_failed"

    def __init__(self, message: str, *, cause: EndCause) -> None:
        super().__init__(message)
        self.cause = cause


class LegClosed(CallError):
    code = "leg_closed"


class TransferFailed(CallError):
    """`status` is the SIP status of the refusal, or None where none was given."""

    code = "transfer_failed"

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class RuntimeDied(OtklikError):
    code = "runtime_died"
    exit_status = 70
