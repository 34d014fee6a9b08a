"""What a caller wants instead of answering, from the intent of the NLU and, for the law, from words.

An intent counts only above a threshold: a linear classifier is over-confident on nonsense, so weak
intents are left to the answer parser and the re-ask. «Do not call» is also found by words of its
own, so that it never depends on a model alone.
"""

from __future__ import annotations

import re
from enum import StrEnum

from bot.core.context import TurnSource, UserTurn
from bot.core.directives import Expectation, OpenExpected, YesNoExpected
from bot.core.intents import Intent, Topic
from bot.surveys.answers import says_outcome
from bot.surveys.no_calls import wants_no_more_calls
from bot.surveys.words import UNKNOWN, split, tokens

LEAST_INTENT_CONFIDENCE = 0.6
"""Below it an intent is not acted on."""

LEAST_OPEN_CONFIDENCE = 0.8
"""The same at an open question, where free speech is what was asked for."""

SHORT_WORDS = 4
"""At an open question a longer utterance is an answer, unless it is one of `_HEARD_AT_LENGTH`."""


LEAST_WORD_CONFIDENCE = 0.5
"""Words that are less sure than this on average are noise: no intent is read from them."""


class Wish(StrEnum):
    OPT_OUT = "opt_out"
    REQUEST_AGENT = "request_agent"
    CALLBACK = "callback"
    COMPLAIN = "complain"
    WRONG_PERSON = "wrong_person"
    REFUSE_SURVEY = "refuse_survey"
    REFUSE_QUESTION = "refuse_question"
    GOODBYE = "goodbye"
    REPEAT = "repeat"
    DONT_KNOW = "dont_know"
    IDENTITY = "identity"


_BY_INTENT = {
    Intent.OPT_OUT: Wish.OPT_OUT,
    Intent.REQUEST_AGENT: Wish.REQUEST_AGENT,
    Intent.CALLBACK_LATER: Wish.CALLBACK,
    Intent.COMPLAIN: Wish.COMPLAIN,
    Intent.WRONG_PERSON: Wish.WRONG_PERSON,
    Intent.REFUSE: Wish.REFUSE_QUESTION,
    Intent.GOODBYE: Wish.GOODBYE,
    Intent.ASK_REPEAT: Wish.REPEAT,
    Intent.DONT_KNOW: Wish.DONT_KNOW,
    Intent.ASK_IDENTITY: Wish.IDENTITY,
}

_HEARD_AT_LENGTH = {Wish.OPT_OUT, Wish.REQUEST_AGENT, Wish.COMPLAIN}
"""At an open question these are wishes however long the utterance is, and so is a refusal that names the
survey itself."""

_ENDS_QUESTIONS = {
    Wish.OPT_OUT,
    Wish.REQUEST_AGENT,
    Wish.CALLBACK,
    Wish.WRONG_PERSON,
    Wish.REFUSE_SURVEY,
    Wish.GOODBYE,
}

FINAL_WISHES = frozenset((Wish.OPT_OUT, Wish.REQUEST_AGENT))
"""These are granted after the last question as well."""

_BESIDES = 5
"""At an open question a wish in so many words or more is also the comment that was asked for."""

_BESIDES_A_REFUSAL = 9
"""The same for a refusal of the survey: «не хочу участвовать в вашем опросе, спасибо» comments on nothing."""

_THE_SURVEY = re.compile(r"\b(участвовать|опрос(?:а|е|ом|у|ы|ах|ам|ов)?|survey|participate)\b")

_WHOLE_SURVEY = re.compile(
    r"\b(участвовать|опрос\w*|отстаньте|отвалите|отказываюсь|неинтересно|интересно|интересует"
    r"|спам\w*|некогда|прекратите|перестаньте|хватит|разговаривать|говорить|survey|participate)\b"
)


def wish_of(turn: UserTurn, *, open_question: bool = False) -> Wish | None:
    """The one wish to act on in this turn, or None where it is to be read as an answer."""
    if turn.source is not TurnSource.SPEECH:
        return None
    if wants_no_more_calls(turn.text):
        return Wish.OPT_OUT
    if turn.intent is None or not was_heard(turn):
        return None
    wish = _BY_INTENT.get(turn.intent)
    if wish is None:
        return None
    said = split(turn.text)
    refusal = " ".join(said) if wish is Wish.REFUSE_QUESTION else ""
    if _WHOLE_SURVEY.search(refusal):
        wish = Wish.REFUSE_SURVEY
    least = LEAST_INTENT_CONFIDENCE
    if open_question and wish is not Wish.COMPLAIN:
        least = LEAST_OPEN_CONFIDENCE
        at_length = wish in _HEARD_AT_LENGTH or _THE_SURVEY.search(refusal)
        if not at_length and len(said) > SHORT_WORDS:
            return None
    return wish if turn.intent_confidence >= least else None


def stands(expectation: Expectation, wish: Wish | None, turn: UserTurn) -> bool:
    """Whether a value said together with a wish is an answer to what is expected.

    Where yes or no is expected «нет» or «да» may well belong to the wish («нет, не звоните», «да,
    кто это?»), so there only a plain statement («решили») counts, but for complaints and calls for a
    person, which fit either answer. Whoever is the wrong person answers nothing.
    """
    if wish is None:
        return True
    if wish is Wish.WRONG_PERSON:
        return False
    if isinstance(expectation, OpenExpected):
        besides = _BESIDES_A_REFUSAL if wish is Wish.REFUSE_SURVEY else _BESIDES
        return wish is Wish.COMPLAIN or (wish in _ENDS_QUESTIONS and len(split(turn.text)) >= besides)
    if isinstance(expectation, YesNoExpected) and wish not in (Wish.COMPLAIN, Wish.REQUEST_AGENT):
        return says_outcome(turn)
    return True


def only_says_no(expectation: Expectation, wish: Wish | None, turn: UserTurn) -> bool:
    """«нет, не решили» to «was it resolved?»: the answer itself, no complaint beside it."""
    plain = turn.topic in (None, Topic.UNRESOLVED)
    return wish is Wish.COMPLAIN and plain and isinstance(expectation, YesNoExpected)


def was_heard(turn: UserTurn) -> bool:
    """Whether there are words to take an intent from: a classifier has one for noise, too."""
    known = [token.confidence for token in tokens(turn) if token.text != UNKNOWN]
    return bool(known) and sum(known) / len(known) >= LEAST_WORD_CONFIDENCE
