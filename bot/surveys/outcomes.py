"""Statements that a matter is settled or is not: «решили», «так и не помогли», «не смогли починить».

In Russian «не» denies the word right behind it; so «не решили» is a no, «не сразу решили» a yes and
«не всё решили» half an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bot.surveys.morphology import parses
from bot.surveys.outcome_words import (
    ALL_WELL,
    ASKED,
    AT_LAST,
    CAME,
    CAN,
    CONTRAST,
    COULD,
    DONE,
    ENGLISH,
    ENGLISH_NOT,
    FAILED,
    FAULT,
    GOES,
    HARDLY,
    HARM,
    MOCKED,
    NOBODY,
    NOT_SAID,
    OPEN,
    PARTLY_DENIED,
    PROGRESS,
    REACH,
    RHETORICAL,
    SETTLES_NOTHING,
    SPEECH,
    SUITED,
    TROUBLE,
    UNDER_WAY,
    WAS,
    WENT,
)
from bot.surveys.settling import Unit
from bot.surveys.words import UNKNOWN

_BY_HIMSELF = frozenset(("сам", "сама", "сами", "самому", "самой"))


def outcomes(words: Sequence[str]) -> list[Unit]:
    """Every statement about the matter, from left to right."""
    return [unit for place in range(len(words)) if (unit := _statement(words, place)) is not None]


def _statement(words: Sequence[str], place: int) -> Unit | None:
    word = words[place]
    if word in ENGLISH:
        return _english(words, place)
    if word in ALL_WELL and "все" in words[max(0, place - 2) : place + 2]:
        start = max(0, place - 2)
        return None if "не" in words[max(0, start - 1) : place] else Unit(True, place)
    if not word.isalpha() or word.isascii() or len(word) < 4:
        return None
    reach = _clause(words, place)
    if _would(words, place) or _asked(words, place):
        return None
    if (trouble := _of_trouble(words, place)) is not None:
        return trouble
    if (verdict := _judged(words, place)) is not None and _may_be_done(word):
        return verdict
    if not NOT_SAID.isdisjoint(reach) or _told_by_another(words, place):
        return None
    for parse in parses(word)[:3]:
        if parse.lemma in DONE and ("past" in parse.grammemes or "PRTS" in parse.grammemes):
            if parse.lemma == "решить" and _decided(words, place):
                return None
            if parse.lemma == "получить" and not HARM.isdisjoint(words[place + 1 : place + 3]):
                return None
            if not _BY_HIMSELF.isdisjoint((*reach, *words[place + 1 : place + 2])):
                # by himself: settled, not by us
                return Unit(True, place, partly=True, lemma=parse.lemma, slight=True)
            return _past(words, place, parse.lemma)
        if parse.lemma in DONE | UNDER_WAY and "INFN" in parse.grammemes:
            return _infinitive(words, place, parse.lemma)
        if parse.lemma in SUITED and "past" in parse.grammemes:
            near = {"меня", "нас", "всех", "полностью"} & set(words[max(0, place - REACH) : place + 3])
            said_of = near or _prev(words, place) == "не"
            return _past(words, place, parse.lemma) if said_of else None
        if parse.lemma in GOES and not {"1per", "2per", "INFN"} & parse.grammemes:
            if words[place + 1 : place + 2] == ["над"]:
                return None  # «работают над этим»
            return _past(words, place, parse.lemma)
        if parse.lemma in UNDER_WAY and not {"1per", "2per"} & parse.grammemes:
            if _prev(words, place) == "не":
                return Unit(False, place, (place - 1, place), lemma=parse.lemma, slight=True)
            going_on = parse.lemma in PROGRESS and "pres" in parse.grammemes
            return Unit(True, place, partly=True, lemma=parse.lemma) if going_on else None
        if parse.lemma in FAILED and not {"1per", "2per", "INFN"} & parse.grammemes:
            anew = not {"потом", "опять", "снова"}.isdisjoint(reach)
            denied = _prev(words, place) == "не"
            return None if denied else Unit(False, place, lemma=parse.lemma, slight=not anew)
    return _any_act(words, place)


def _any_act(words: Sequence[str], place: int) -> Unit | None:
    """«Так и не подключили», «всё привезли»: any finished act of others, denied or with «всё»."""
    act = next(iter(parses(words[place])), None)
    if act is None or act.lemma in SETTLES_NOTHING:
        return None
    if "PRTS" in act.grammemes:  # «ликвидирована», «не оплачен»
        denied = _prev(words, place) == "не"
        return Unit(not denied, place, (place - 1, place) if denied else (), lemma=act.lemma, slight=True)
    if {"VERB", "pres", "3per", "plur"} <= act.grammemes:  # «не перезванивают»
        denied = _prev(words, place) == "не"
        return Unit(False, place, (place - 1, place), lemma=act.lemma, slight=True) if denied else None
    if not {"VERB", "perf", "past"} <= act.grammemes:
        return None
    if not {"plur", "neut"} & act.grammemes:  # «не успел» may be the caller himself
        return None
    if _prev(words, place) == "не":
        return Unit(False, place, (place - 1, place), lemma=act.lemma, slight=True)
    near = words[max(0, place - 2) : place + 2]
    settled_by_it = not AT_LAST.isdisjoint(near) and "не" not in near
    return Unit(True, place, lemma=act.lemma, slight=True) if settled_by_it else None


def _clause(words: Sequence[str], place: int) -> Sequence[str]:
    """The words before a place that may govern it, not beyond a «but»."""
    reach = list(words[max(0, place - REACH) : place])
    turns = [at for at, word in enumerate(reach) if word in CONTRAST]
    return reach[turns[-1] + 1 :] if turns else reach


def _would(words: Sequence[str], place: int) -> bool:
    """«Решили бы», «хоть бы решили»; «вроде бы решили» is only cautious."""
    near = range(max(0, place - REACH), min(len(words), place + 2))
    return any(
        words[at] in ("бы", "б")
        and at > 0
        and words[at - 1] not in ("вроде", "как", "сказал", "сказала")
        and list(words[at + 1 : at + 2]) not in (["сказал"], ["сказала"])
        for at in near
    )


def _told_by_another(words: Sequence[str], place: int) -> bool:
    """«Оператор сказал, что решили»; not «я же сказала, решили»."""
    back = words[max(0, place - 2 * REACH) : place]
    told = any(word in ("сказал", "сказала") for word in _clause(words, place))
    return told and {"я", "же", "бы", "б"}.isdisjoint(back)


def _asked(words: Sequence[str], place: int) -> bool:
    """«А что решили?»: a question of the caller's own."""
    if list(words[:2]) == ["а", "вы"] and place > 1:
        return True
    for at, word in enumerate(words[: min(place, 3)]):
        if word in ASKED:
            answered = any(map(_may_be_done, words[at + 1 : place]))  # «что вы решили? ничего не решили»
            return not answered and words[at + 1] not in ("то", "либо", "нибудь", "надо", "там")
        if word not in ("а", "ну", "и", "с", "в", "да"):
            return False
    return False


def _of_trouble(words: Sequence[str], place: int) -> Unit | None:
    """«Проблема исчезла» is a yes, «ошибка вернулась» a no; so are «проблемы больше нет», «вопрос открыт»."""
    if (settled := _is_no_more(words, place)) is not None:
        return settled
    if words[place] in OPEN and _is_trouble(words, place):
        return None if _prev(words, place) == "не" else Unit(False, place, lemma="открыть")
    lemma = next((parse.lemma for parse in parses(words[place])[:2] if parse.lemma in CAME | WENT), None)
    if lemma is None or not _is_trouble(words, place):
        return None
    denied = _prev(words, place) == "не"
    return Unit((lemma in WENT) != denied, place, lemma=lemma)


def _is_no_more(words: Sequence[str], place: int) -> Unit | None:
    """«Проблемы больше нет», «больше ошибок не было»; «вопросов больше нет» may only be none to ask."""
    if not any(parse.lemma in FAULT for parse in parses(words[place])[:1]):
        return None
    after = list(words[place + 1 : place + 4])
    more = after[:1] == ["больше"] or _prev(words, place) == "больше"
    rest = after[after[:1] == ["больше"] :]
    gone = rest[:1] in (["нет"], ["нету"]) or rest[:2] in (["не", "было"], ["не", "возникало"])
    return Unit(True, place, lemma="исчезнуть") if more and gone else None


def _is_trouble(words: Sequence[str], place: int) -> bool:
    near = words[max(0, place - REACH - 2) : place + 3]
    return any(parse.lemma in TROUBLE for word in near for parse in parses(word)[:1])


def _decided(words: Sequence[str], place: int) -> bool:
    """«Я решил», «решили отказаться»: a mind made up, not a matter settled."""
    after = list(words[place + 1 : place + 3])
    if words[place] in ("решил", "решила") and {"я", "себя"} & set(words[max(0, place - REACH) : place]):
        return True
    if after[:1] == ["что"]:
        return True
    verb = after[1] if after[:1] == ["не"] and len(after) > 1 else after[0] if after else ""
    return any("INFN" in parse.grammemes for parse in parses(verb))


def _judged(words: Sequence[str], place: int) -> Unit | None:
    """«Не сказал бы, что решили» is a no, «не уверена, что решили» half an answer."""
    back = list(words[max(0, place - 6) : place])
    for at, word in enumerate(back[:-1]):
        if word not in ("не", "нельзя"):
            continue
        rest = back[at + 1 : at + 3]
        if CONTRAST & set(back[at:]):
            return None
        what = back[at + 1 : at + 4]
        if what == ["могу", "сказать", "что"] and _prev(words, place) == "что":
            return Unit(False, place, tuple(range(place - len(back) + at, place + 1)))
        says = what[:2] in (["сказать", "что"], ["скажу", "что"]) or what == ["могу", "сказать", "что"]
        if word == "не" and says:
            return Unit(True, place, partly=True)  # «не сказать, что решили»
        if (
            "сказал" in rest
            or "сказала" in rest
            or "думаю" in rest
            or (word, *rest[:1]) == ("нельзя", "сказать")
        ):
            return Unit(False, place, tuple(range(place - len(back) + at, place + 1)))
        if {"уверен", "уверена", "знаю", "помню", "понял", "поняла", "понятно"} & set(rest[:1]):
            return Unit(True, place, partly=True)
    return None


def _may_be_done(word: str) -> bool:
    return any(parse.lemma in DONE | GOES for parse in parses(word))


def _past(words: Sequence[str], place: int, lemma: str) -> Unit | None:
    """A verb in the past or a state, with what stands around it."""
    around = (*words[max(0, place - 2) : place], *words[place + 1 : place + 3])
    if {"будет", "быть", "будут"} & set(around):
        return None
    if any(one == "не" and other in WAS for one, other in pairwise(around)):  # «решено не было»
        return Unit(False, place, lemma=lemma)
    if _prev(words, place) in ("не", "ни"):
        after = words[place + 1 : place + 3]
        still = list(words[max(0, place - 3) : place - 1]) == ["так", "и"]
        half = bool(after) and (after[0] == "полностью" or list(after) == ["до", "конца"]) and not still
        return Unit(False, place, (place - 1, place), partly=half, lemma=lemma)
    back = list(words[max(0, place - REACH) : place])
    if "хуже" in words[max(0, place - 2) : place + 2]:
        return Unit(False, place, lemma=lemma)
    if list(words[place + 1 : place + 2]) == ["вид"]:
        return None  # «сделали вид»
    if not MOCKED.isdisjoint(back):
        return Unit(False, place, lemma=lemma)
    of_nothing = back[-1:] == ["там"] and back[-2:-1] and back[-2] in RHETORICAL
    if of_nothing or (back[-1:] == ["какое"] and place > 1):  # «какое там решили», «да какое решили»
        return Unit(False, place, lemma=lemma)
    if back[-1:] and back[-1] in RHETORICAL:
        return Unit(True, place, partly=True, lemma=lemma)
    if back[-1:] == [UNKNOWN] and "не" in back:
        return Unit(True, place, partly=True, lemma=lemma)
    for at, word in enumerate(back):
        if word == "не" and (back[at + 1] in PARTLY_DENIED or back[at + 1 : at + 3] == ["до", "конца"]):
            return Unit(True, place, partly=True, lemma=lemma)
    after = list(words[place + 1 : place + 4])
    spoilt = after[:1] == ["но"] and not HARDLY.isdisjoint(after)
    half = spoilt or (not NOBODY.isdisjoint(back) and lemma not in GOES) or not HARDLY.isdisjoint(back)
    return Unit(True, place, partly=half, lemma=lemma)


def _infinitive(words: Sequence[str], place: int, lemma: str) -> Unit | None:
    """«Не смогли помочь», «удалось решить»; «обещали решить» tells nothing."""
    for back in range(1, 4):
        at = place - back
        if at < 0:
            return None
        verb = next((parse.lemma for parse in parses(words[at])[:2] if parse.lemma in CAN), None)
        if verb is not None:
            if lemma in SPEECH and any("1per" in parse.grammemes for parse in parses(words[at])[:1]):
                return None  # «не могу ответить»: the caller himself
            if _prev(words, at) == "не":
                return Unit(False, place, (at - 1, at, place), lemma=lemma)
            return Unit(True, place, (at, place), lemma=lemma) if verb in COULD else None
    return None


def _english(words: Sequence[str], place: int) -> Unit:
    back = words[max(0, place - REACH) : place]
    denied = not ENGLISH_NOT.isdisjoint(back) or (place > 0 and words[place - 1] == "no")
    return Unit(not denied, place, lemma=words[place])


def _prev(words: Sequence[str], place: int) -> str:
    return words[place - 1] if place else ""
