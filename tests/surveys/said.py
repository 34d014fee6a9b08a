"""What the talks of the flow's tests are made of: sentences with the intent that the model hears."""

from __future__ import annotations

from bot.core.intents import Intent, Topic
from tests.surveys.turns import say

NINE = say("девять", Intent.ANSWER_SCORE)
TWO = say("двойка", Intent.ANSWER_SCORE)
RESOLVED = say("да решили", Intent.AFFIRM)
UNRESOLVED = say("нет не решили", Intent.DENY)
PRAISE = say("всё отлично спасибо большое", Intent.PRAISE)
WAITED = say("очень долго ждал", Intent.COMPLAIN, topic=Topic.WAITING)
YES = say("да", Intent.AFFIRM)
NO = say("нет спасибо", Intent.DENY)
NOISE = say("[unk]")
REPEAT = say("повторите пожалуйста", Intent.ASK_REPEAT)
WHO = say("кто это", Intent.ASK_IDENTITY)
DONT_KNOW = say("не знаю", Intent.DONT_KNOW)
PERSON = say("соедините с оператором", Intent.REQUEST_AGENT)
LATER = say("перезвоните завтра", Intent.CALLBACK_LATER)
GOODBYE = say("до свидания", Intent.GOODBYE)
REFUSE_ALL = say("не хочу участвовать в опросе", Intent.REFUSE)
REFUSE_ONE = say("воздержусь", Intent.REFUSE)
