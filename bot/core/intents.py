"""What a caller may want to say: the intents that Rasa is trained on, and the topics of a complaint."""

from __future__ import annotations

from enum import StrEnum


class Intent(StrEnum):
    ANSWER_SCORE = "answer_score"
    AFFIRM = "affirm"
    DENY = "deny"
    COMPLAIN = "complain"
    REQUEST_AGENT = "request_agent"
    CALLBACK_LATER = "callback_later"
    OPT_OUT = "opt_out"
    ASK_REPEAT = "ask_repeat"
    DONT_KNOW = "dont_know"
    REFUSE = "refuse"
    ASK_IDENTITY = "ask_identity"
    WRONG_PERSON = "wrong_person"
    PRAISE = "praise"
    INFORM = "inform"
    GOODBYE = "goodbye"
    OUT_OF_SCOPE = "out_of_scope"


class Topic(StrEnum):
    WAITING = "waiting"
    RUDENESS = "rudeness"
    UNRESOLVED = "unresolved"
    INCOMPETENCE = "incompetence"
    BILLING = "billing"
    QUALITY = "quality"
    OTHER = "other"
