"""What a handover says of its own accord, to the caller and to the agent, in the survey's language."""

from __future__ import annotations

from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class HandoverWords:
    """`accept` asks the agent for his decision; everything else is for the caller.

    `cancel` tells a caller who waits how to stop it and holds none of the words that do: its echo must
    not. `cancelled`, `dropped` and `promise` are closings that promise a call back; `returning` asks a
    caller who rings again while his case is open, `returned` tells the agent that he did. `rejoin` asks a
    caller whose talk with an agent broke off, `rejoined` tells whoever is rung then; `join_reask` asks
    either once more.
    """

    accept: str
    cancel: str
    cancelled: str
    dropped: str
    passing_on: str
    returning: str
    join_reask: str
    returned: str
    rejoin: str
    rejoined: str
    connecting: str
    promise: str

    @property
    def all(self) -> tuple[str, ...]:
        texts: tuple[str, ...] = astuple(self)
        return texts


RUSSIAN = HandoverWords(
    accept="Нажмите один, чтобы принять, или два, чтобы отказаться.",
    cancel="Чтобы не ждать, нажмите два.",
    cancelled="Хорошо, соединять не будем. Вам перезвонит ответственный сотрудник. Всего доброго!",
    dropped="Простите, связь с сотрудником прервалась. Вам обязательно перезвонят. Всего доброго!",
    passing_on="Соединяю вас с другим сотрудником. Оставайтесь, пожалуйста, на линии.",
    returning="Вы недавно говорили с нами, и ваш вопрос ещё открыт. Соединить вас с сотрудником?",
    join_reask="Скажите, пожалуйста, да или нет: соединить вас с сотрудником?",
    returned="Клиент звонит снова, его обращение ещё открыто.",
    rejoin="Простите, связь с сотрудником прервалась. Соединить вас снова?",
    rejoined="Связь с клиентом прервалась, он ждёт на линии.",
    connecting="Соединяю вас с сотрудником. Оставайтесь, пожалуйста, на линии.",
    promise="Вам обязательно перезвонит ответственный сотрудник. Всего доброго!",
)

ENGLISH = HandoverWords(
    accept="Press one to accept or two to decline.",
    cancel="Press two if you would rather not wait.",
    cancelled="All right, we will not connect you. The person in charge will call you back. Goodbye!",
    dropped="I am sorry, the connection was lost. Somebody will certainly call you back. Goodbye!",
    passing_on="I am connecting you with a colleague. Please stay on the line.",
    returning="You talked to us a short while ago and your matter is still open. Shall I connect you?",
    join_reask="Please say yes or no: shall I connect you?",
    returned="The customer is calling again, his case is still open.",
    rejoin="I am sorry, the connection was lost. Shall I connect you again?",
    rejoined="The connection to the customer was lost, he is holding the line.",
    connecting="I am connecting you. Please stay on the line.",
    promise="The person in charge will certainly call you back. Goodbye!",
)


def handover_words(language: str) -> HandoverWords:
    return ENGLISH if language == "en" else RUSSIAN
