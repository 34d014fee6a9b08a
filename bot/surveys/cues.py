"""Words that leave no doubt of what a caller wants, whatever a model thinks of the sentence.

«Do not call» is the law's, and a person who was asked for in so many words must come: neither may
depend on a model alone.
"""

from __future__ import annotations

import re

from bot.core.intents import Intent
from bot.surveys.words import split

_NO_MORE_CALLS = re.compile(
    r"\bне (звоните|звони|названивайте|беспокойте|тревожьте)\b"
    r"(?! (сейчас|утром|вечером|днем|ночью|поздно|рано|так поздно|так рано|после|до)\b)"
    r"|\b(мне|нам|сюда|прошу|просьба)( \w+){0,2} не (звонить|беспокоить|названивать)\b"
    r"|\b(удалите|уберите|вычеркните|сотрите|исключите)\b( \w+){0,3}? (номер|телефон|меня|контакт\w*)\b"
    r"|\b(пусть|чтобы|чтоб)\b( \w+){0,2} (удал(ит|ят)|убер(ет|ут)|вычеркн(ет|ут)|сотр(ет|ут))\b"
    r"( \w+){0,2}? (номер|телефон|меня)\b"
    r"|\b(перестаньте|прекратите|хватит)( \w+){0,2} (звонить|названивать)\b"
    r"|\b(do not|don't|dont|never) (call|ring|phone)\b|\bstop (calling|ringing)\b"
    r"|\b(remove|delete) (my number|me)\b|\btake me off\b"
)
_COMPLAINS_OF_SILENCE = re.compile(r"\b(почему|обещали|обещаете|обещал|обещала|зачем)\b.*\bне звон")


def wants_no_more_calls(text: str) -> bool:
    """Whole words that mean «never ring me again», whatever the NLU thinks of them."""
    words = " ".join(split(text))
    return bool(_NO_MORE_CALLS.search(words)) and not _COMPLAINS_OF_SILENCE.search(words)


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
)


def asks_for_a_person(text: str) -> bool:
    """«соедините с оператором», «дайте живого человека»: in the imperative, and not denied."""
    return bool(_ASKS_FOR_A_PERSON.search(" ".join(split(text))))


def plain_intent(text: str) -> Intent | None:
    """The intent that the words alone settle, the more pressing first; None where they settle none."""
    if wants_no_more_calls(text):
        return Intent.OPT_OUT
    return Intent.REQUEST_AGENT if asks_for_a_person(text) else None
