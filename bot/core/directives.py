"""What the dialogue tells the bot to do next: the typed border between Rasa and the call.

A Rasa turn answers with one `TurnReply` as JSON in the `custom` payload. The bot executes the
directives in order and never guesses what the survey wants.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bot.core.answer import Answer, AnswerValue
from bot.core.endings import Disposition
from bot.core.intents import Intent, Topic


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# What answer a question expects -------------------------------------------------------------


class ScaleLabel(_Model):
    """What callers may say in place of a code of a scale: «отлично» for 5."""

    code: int
    say: tuple[str, ...]


class ScaleExpected(_Model):
    """A whole number from `low` to `high`, spoken or keyed, or one of the declared `labels`."""

    kind: Literal["scale"] = "scale"
    low: int
    high: int
    labels: tuple[ScaleLabel, ...] = ()


class YesNoExpected(_Model):
    """Yes or no; by keys 1 is yes and 2 is no."""

    kind: Literal["yes_no"] = "yes_no"


class ChoiceOption(_Model):
    """One option: its id and what callers say for it. Its key is its place in the list, from 1."""

    id: str
    say: tuple[str, ...]


class ChoiceExpected(_Model):
    kind: Literal["choice"] = "choice"
    options: tuple[ChoiceOption, ...]


class MultiChoiceExpected(_Model):
    """Any of the options, none of them included; by keys one after another, `#` ends.

    `at_most` is how many may be chosen, None where all may.
    """

    kind: Literal["multi_choice"] = "multi_choice"
    options: tuple[ChoiceOption, ...]
    at_most: int | None = None


class NumberExpected(_Model):
    """A whole count from `low` to `high`, spoken or keyed: how often, how many, how long."""

    kind: Literal["number"] = "number"
    low: int
    high: int


class DateExpected(_Model):
    """When to ring, at most `horizon_days` days from now; by keys the hour of the day, 0-23."""

    kind: Literal["date"] = "date"
    horizon_days: int


class OpenExpected(_Model):
    """Free speech of up to `max_s` seconds; the sound is the record, the words are a help."""

    kind: Literal["open"] = "open"
    max_s: float = 30.0


class ConfirmExpected(_Model):
    """A value, or yes to the one of `candidates` that was named; by keys the value as in `of`."""

    kind: Literal["confirm"] = "confirm"
    of: Annotated[
        ScaleExpected
        | YesNoExpected
        | ChoiceExpected
        | MultiChoiceExpected
        | NumberExpected
        | DateExpected
        | OpenExpected,
        Field(discriminator="kind"),
    ]
    candidates: tuple[AnswerValue, ...]


Expectation = Annotated[
    ScaleExpected
    | YesNoExpected
    | ChoiceExpected
    | MultiChoiceExpected
    | NumberExpected
    | DateExpected
    | OpenExpected
    | ConfirmExpected,
    Field(discriminator="kind"),
]


# Directives ---------------------------------------------------------------------------------


class Say(_Model):
    """Speak. A `protected` text (consent, the law) is heard to its end whatever the caller says.

    `purpose` names the text for the record: `consent`, `introduction`, `acknowledgement`,
    `apology`, `identity`, `closing` and the like.
    """

    kind: Literal["say"] = "say"
    text: str
    purpose: str
    protected: bool = False


class Ask(_Model):
    """Speak a question and listen. `attempt` counts from 1; 2 and more are re-asks."""

    kind: Literal["ask"] = "ask"
    question_id: str
    text: str
    expectation: Expectation
    attempt: int = 1
    no_input_s: float = 5.0


class Record(_Model):
    """Store this answer, durably, before anything further is spoken."""

    kind: Literal["record"] = "record"
    question_id: str
    question_kind: str
    answer: Answer


class Signal(_Model):
    """Note a triage signal and the rule and words that raised it."""

    kind: Literal["signal"] = "signal"
    name: str
    rule: str
    topic: Topic | None = None
    words: str = ""


class WithdrawSignal(_Model):
    """A signal stands no longer: what raised it was corrected."""

    kind: Literal["withdraw_signal"] = "withdraw_signal"
    name: str
    rule: str
    topic: Topic | None = None


class Offer(_Model):
    """Offer a human (or a callback) and listen for yes or no; of a callback the caller may say when.

    `rule` is the triage rule that offers it.
    """

    kind: Literal["offer"] = "offer"
    offer: Literal["human", "callback"]
    text: str
    topic: Topic | None = None
    attempt: int = 1
    no_input_s: float = 5.0
    rule: str = ""


class OfferAnswered(_Model):
    """The caller's yes or no to the last offer."""

    kind: Literal["offer_answered"] = "offer_answered"
    offer: Literal["human", "callback"]
    accepted: bool


class Transfer(_Model):
    """Hand the caller over to a human. `target` names an agents' table entry, never a number.

    `text` is said to the caller first, `whisper` to the agent before they are joined. When it
    fails, the bot posts the outcome as a turn (`handover_failed`) and the dialogue goes on.
    """

    kind: Literal["transfer"] = "transfer"
    target: str
    reason: str
    text: str
    whisper: str = ""


class Callback(_Model):
    """The caller is to be rung later; `when` is his own words about the time, or empty. Where the bot is to
    ring, `due` is the moment from which it may, None where he named none.

    Where an agent is to ring: `due` is the moment that the caller was told or named himself (None where
    no time was spoken of), `target` whose matter it is (as in `Transfer`; "" where no rule says), and
    `reason` the triage rule.
    """

    kind: Literal["callback"] = "callback"
    when: str = ""
    by: Literal["bot", "agent"] = "bot"
    due: AwareDatetime | None = None
    target: str = ""
    reason: str = ""
    topic: Topic | None = None


class OpenCase(_Model):
    """Open a case: a matter that somebody has to see to. `reason` is the triage rule, `words` what it
    rests on, `target` whose matter it is, as in `Transfer`; `callback` where the caller is to be rung.

    It may be taken back in the very next turn (`WithdrawMatter`), and is written down after that or at
    the end of the call, whichever comes first.
    """

    kind: Literal["open_case"] = "open_case"
    reason: str
    topic: Topic | None = None
    callback: bool = False
    words: str = ""
    target: str = ""


class Note(_Model):
    """Note that a triage rule fired, and on which words; may be taken back as `OpenCase` may."""

    kind: Literal["note"] = "note"
    rule: str
    topic: Topic | None = None
    words: str = ""


class WithdrawMatter(_Model):
    """No case and no note: what the rule rested on in the turn before was corrected."""

    kind: Literal["withdraw_matter"] = "withdraw_matter"
    rule: str


class OptOut(_Model):
    """Never ring this number again, effective at once."""

    kind: Literal["opt_out"] = "opt_out"
    words: str = ""


class StopRecording(_Model):
    """The caller does not want to be recorded: from now on nothing is, and what there is is deleted."""

    kind: Literal["stop_recording"] = "stop_recording"
    words: str = ""


class End(_Model):
    """Say the closing and hang up."""

    kind: Literal["end"] = "end"
    disposition: Disposition
    text: str = ""


Directive = Annotated[
    Say
    | Ask
    | Record
    | Signal
    | WithdrawSignal
    | Offer
    | OfferAnswered
    | OpenCase
    | Note
    | WithdrawMatter
    | Transfer
    | Callback
    | OptOut
    | StopRecording
    | End,
    Field(discriminator="kind"),
]


class Understood(_Model):
    """What the NLU made of the words: for the record and for triage."""

    intent: Intent
    confidence: float
    topic: Topic | None = None


class TurnReply(_Model):
    """Everything one Rasa turn answers with."""

    directives: tuple[Directive, ...]
    understood: Understood | None = None
