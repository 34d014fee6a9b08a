"""Words that leave no doubt of what a caller wants, whatever a model thinks of the sentence.

«Do not call» is the law's, and a person who was asked for in so many words must come: neither may
depend on a model alone.
"""

from __future__ import annotations

import re

from bot.core.intents import Intent
from bot.surveys.no_calls import wants_no_more_calls
from bot.surveys.words import split

_RECORD = r"(?:запис(?:и|ь|ью|ывать|ывайте|ывали)|аудиозапис(?:и|ь)|писать)"
_NO_RECORDING = re.compile(
    r"\bне (?:записывайте|записывай|записывать|пишите|пиши)\b(?! (?:мне|нам|больше мне)\b)"
    rf"|\bне (?:надо|нужно|хочу|хотел бы|согласен|согласна|разрешаю|буду)\b(?: \w+){{0,3}}? {_RECORD}\b"
    rf"|\bпротив\b(?: \w+){{0,2}}? {_RECORD}\b"
    rf"|\b(?:выключите|отключите|остановите|прекратите|перестаньте|хватит)\b(?: \w+){{0,2}}? {_RECORD}\b"
    r"|\b(?:удалите|сотрите) (?:эту |мою |аудио)?запись\b(?! (?:к|на|о)\b)"
    r"|^(?:давайте |можно |лучше |только |а )?без записи(?: пожалуйста)?$"
    r"|\b(?:do not|don't|dont|stop|not be|against) (?:being )?record(?:ed|ing)?\b|\bno recording\b"
)


def wants_no_recording(text: str) -> bool:
    """Whole words that mean «do not record me», at whatever place of the call."""
    return bool(_NO_RECORDING.search(" ".join(split(text))))


_PERSON = (
    r"(?:оператор(?:а|ом|шу)?|человек(?:а|ом)|сотрудни(?:ка|ком|цу|цей)|специалист(?:а|ом)?"
    r"|менеджер(?:а|ом)|консультант(?:а|ом)|руководител(?:я|ем)|руководств(?:о|ом)|начальни(?:ка|ком)"
    r"|начальств(?:о|ом)|директор(?:а|ом)|администратор(?:а|ом)|диспетчер(?:а|ом)|супервайзер(?:а|ом)"
    r"|старш(?:его|им|ую|ей)|живо(?:го|му)|живым|живую|мастером|инженером|юристом|бухгалтер(?:ом|ией)"
    r"|(?:тех)?поддержк(?:у|ой)|отделом|службой|кем (?:нибудь|то)|кого (?:нибудь|то)"
    r"|operator|agent|human|person|manager|supervisor|somebody|someone|representative)"
)
_JOIN = (
    r"(?:соедин(?:и|ите|яй|яйте)|переключ(?:и|ите|ай|айте)|перевед(?:и|ите)|перевод(?:и|ите)"
    r"|перекиньте?|перебросьте?|свяжи(?:те)?|позови(?:те)?|пригласи(?:те)?|дай(?:те)?"
    r"|(?:connect|transfer|put) me|let me (?:speak|talk)|get me)"
)
_ASKS_FOR_A_PERSON = re.compile(
    rf"(?<!\bне )(?<!\bn't )(?<!\bnot )\b{_JOIN}\b(?! бог)(?: (?!не\b)\w+){{0,3}}? {_PERSON}\b"
    rf"|(?<!\bне )\b{_PERSON} (?:мне|нам|сюда)"
    rf"(?: {_JOIN}| сюда| срочно| пожалуйста| быстро| живо| к телефону)*$"
)


_REPORTED = re.compile(
    r"(?:говорит|говорил\w*|говорю|сказал\w*|просил\w*|попросил\w*|велел\w*|кричал\w*|said|told|asked)"
    r"(?: (?:мне|им|ему|ей|оператору|что|же|me|them))?$"
)
_BY_CALLER = re.compile(r"\b(?:я|мы|сколько|раз|же|i|we)\b")
_WENT_ON = re.compile(
    r"\b(?:а|и|но) (?:\w+ )?(?:он|она|они|мне|меня|нас|положи\w+|брос\w+|сброс\w+|жд\w+|прожд\w+|отказ\w+"
    r"|уш[ёел]\w*|ничего|никто)\b|\b(?:and|but) (?:she|he|they)\b"
)
"""«Просил соедините с оператором, а она бросила трубку»: told of a call that is over."""

_NO_NEED = re.compile(
    r"^(?: \w+)? (?:не (?:надо|нужно|стоит|требуется|прошу)|нет необходимости)(?: спасибо| мне)*$"
)


def asks_for_a_person(text: str) -> bool:
    """«Соедините с оператором», «дайте живого человека»: in the imperative, here and now, not denied."""
    words = " ".join(split(text))
    return any(
        not _NO_NEED.match(words[asked.end() :])
        and not _is_told(words[: asked.start()], words[asked.end() :])
        for asked in _ASKS_FOR_A_PERSON.finditer(words)
    )


def _is_told(before: str, after: str) -> bool:
    """Somebody else's words, or the caller's own in a call that is over; «я сказала, соедините!» asks."""
    before = before.rstrip()
    if _REPORTED.search(before) is None:
        return False
    near = " ".join(before.split()[-5:])
    return _BY_CALLER.search(near) is None or _WENT_ON.search(after) is not None


def plain_intent(text: str) -> Intent | None:
    """The intent that the words alone settle, the more pressing first; None where they settle none."""
    if wants_no_more_calls(text):
        return Intent.OPT_OUT
    return Intent.REQUEST_AGENT if asks_for_a_person(text) else None
