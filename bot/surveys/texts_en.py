"""The English wordings that every survey has unless it says otherwise."""

from __future__ import annotations

from typing import Any

TEXTS_EN: dict[str, Any] = {
    "acknowledgement": ["Thank you.", "I see, thank you.", "Noted, thank you."],
    "acknowledgement_low": ["Thank you for being frank.", "Thank you for your honest answer."],
    "no_input": ["I cannot hear you.", "I cannot hear anything yet."],
    "no_match": ["Sorry, I did not catch that.", "I am sorry, I did not understand."],
    "ambiguous": ["I would like to get this right.", "Let me make sure."],
    "confirm": "You said {value}, is that right?",
    "confirm_either": "{value} or {other}?",
    "out_of_range": ["That score is not on the scale.", "That number does not fit the scale."],
    "wrong_key": ["That key does not work here.", "Another key is needed here."],
    "skipped": ["All right, let us skip that one.", "Never mind, let us go on."],
    "sympathy": ["I am very sorry to hear that.", "I understand, that is really unpleasant."],
    "identity": [
        "This is the voice assistant of {company}. We are asking how well you were helped.",
        "You are speaking with an automated assistant of {company} about your recent experience.",
    ],
    "declined": ["All right, as you wish.", "I see, we will not."],
    "dtmf_scale": "You can also press the number on your phone.",
    "dtmf_yes_no": "You can also press one for yes or two for no.",
    "offer": "I am sorry that we left a bad impression. Shall I connect you with someone who can help?",
    "offer_by_topic": {
        "waiting": "I understand, such a wait is unpleasant. Shall I connect you with someone right now?",
        "rudeness": "I am sorry that you were spoken to like that. Shall I connect you with a manager?",
        "unresolved": "I am sorry that this is not resolved yet. Shall I connect you with a specialist?",
        "incompetence": "I am sorry that you were not helped. Shall I connect you with a specialist?",
        "billing": "I understand, money matters are worrying. Shall I connect you with a colleague?",
        "quality": "I am sorry that the quality let you down. Shall I connect you with a colleague?",
    },
    "offer_reask": "Please say yes or no: shall I connect you with a person? You can press one or two.",
    "handover_failed": "I am sorry, everybody is busy at the moment.",
    "filler": ["One moment, please.", "Just a moment more, please."],
    "connecting": ["Connecting you, please stay on the line.", "Thank you for waiting, still connecting."],
    "whisper_score": "Score {value}",
    "whisper_topics": {
        "waiting": "the customer complains of a long wait",
        "rudeness": "the customer complains of rudeness",
        "unresolved": "the matter is not resolved",
        "incompetence": "the customer was not helped",
        "billing": "a question of money",
        "quality": "a complaint about quality",
        "other": "the customer is dissatisfied",
    },
    "whisper_requested": "The customer asks for a person",
    "agent_recorded": "This call is recorded.",
    "numbers": [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    ],
}  # fmt: skip

CLOSINGS_EN: dict[str, Any] = {
    "completed": "Thank you, your answers help us do better. Goodbye!",
    "partial": "Thank you for what you have told us. Goodbye!",
    "refused": "I understand. Thank you for taking the call. Goodbye!",
    "opted_out": "We will not call again. Sorry to have disturbed you, goodbye.",
    "callback": "All right, we will call back later. Goodbye!",
    "wrong_person": "Sorry to have disturbed you, this was a wrong number. Goodbye!",
    "no_input": "I cannot hear you, so let us finish here. Goodbye!",
    "hung_up": "Thank you for your time. Goodbye!",
    "transfer": "I am connecting you with a colleague. Please stay on the line.",
    "handover_failed": "Somebody will certainly call you back soon. Goodbye!",
    "error": "I am sorry, we have a technical fault. Apologies for the trouble, goodbye.",
}
