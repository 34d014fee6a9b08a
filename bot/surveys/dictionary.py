"""Dictionaries of triage: lists of phrases by lemma, each of which raises one signal.

A phrase is one to six words in any form: «долго ждать» is found in «долго ждал» and «ждали очень
долго». `не` before a word of a phrase asks for that word denied («не перезвонить»), `*` behind a word
stands for any ending («хам*»), `=` before one for this form alone («=дорого»). A survey carries the
dictionaries it uses, so that its hash covers them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.core.intents import Topic
from bot.surveys.conditions import COMPLAINT
from bot.surveys.problems import Fault, fault, refusal
from bot.surveys.questions import Id
from bot.surveys.words import fold

MOST_WORDS = 6
MOST_PHRASES = 500
ANY_END = "*"
ONLY_SO = "="
NOT = {"не", "not"}
"""What stands in a phrase before a word that is to be denied."""


def _phrase(text: str) -> str:
    """A phrase as it is compared: folded, single spaces. Raises where it cannot be found in speech."""
    words = fold(text).split()
    bare = [word.removesuffix(ANY_END).removeprefix(ONLY_SO) for word in words]
    if not words or not all(word.replace("'", "").isalpha() for word in bare):
        message = f"«{text}»: фраза — это слова, без цифр и знаков"
        raise fault("bad-phrase", message, hint="напишите, как это говорят вслух", near=text)
    if len(words) > MOST_WORDS:
        message = f"«{text}»: слов больше {MOST_WORDS}"
        raise fault("bad-phrase", message, hint="оставьте слова, по которым узнают смысл", near=text)
    if words[-1] in NOT or all(word in NOT for word in words):
        message = f"«{text}»: после «не» нужно слово"
        raise fault("bad-phrase", message, hint="например: не перезвонить", near=text)
    if any(word.startswith(ONLY_SO) and word.endswith(ANY_END) for word in words):
        message = f"«{text}»: слово или только в этой форме (=), или с любым окончанием (*)"
        raise fault("bad-phrase", message, hint="оставьте один из знаков", near=text)
    if any(word.endswith(ANY_END) and len(word) < 4 for word in words):
        message = f"«{text}»: перед звёздочкой меньше трёх букв"
        raise fault("bad-phrase", message, hint="так найдётся слишком много чужих слов", near=text)
    return " ".join(words)


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


Phrase = Annotated[str, AfterValidator(_phrase)]
Phrases = Annotated[tuple[Phrase, ...], BeforeValidator(_one_or_many), Field(max_length=MOST_PHRASES)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WordList(_Model):
    """Phrases that mean one thing. `topic` belongs to a complaint and says what it is about; what is
    in `but` looks like one of the phrases and means nothing."""

    id: Id
    signal: Id
    topic: Topic | None = None
    words: Phrases = Field(min_length=1)
    but: Phrases = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.signal == COMPLAINT) != (self.topic is not None):
            message = (
                f"список «{self.id}»: у жалобы должна быть тема"
                if self.topic is None
                else f"список «{self.id}»: тема бывает только у жалобы"
            )
            hint = f"есть: {', '.join(Topic)}" if self.topic is None else f"signal: {COMPLAINT}"
            raise fault("bad-list", message, hint=hint, near=self.id)
        return self


class Dictionary(_Model):
    """One dictionary of one language, whole: what an `extend:` added is in it."""

    id: Id
    language: Literal["ru", "en"]
    lists: tuple[WordList, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _no_twins(self) -> Self:
        found = tuple(twins([each.id for each in self.lists]))
        if found:
            raise refusal(found)
        return self

    def signals(self) -> tuple[str, ...]:
        """The signals that it can raise, each once."""
        return tuple(dict.fromkeys(each.signal for each in self.lists))


def twins(ids: list[str]) -> Iterator[Fault]:
    for place, name in enumerate(ids):
        if name in ids[:place]:
            yield Fault("duplicate-id", f"список «{name}» уже есть", ("lists", place, "id"), "назовите иначе")


class ListChange(_Model):
    """What an own file does to a list of the dictionary that it extends, or a list of its own.

    `without` are phrases of that list that are not wanted. A new list needs a `signal`.
    """

    id: Id
    signal: Id | None = None
    topic: Topic | None = None
    words: Phrases = ()
    but: Phrases = ()
    without: Phrases = ()


class Extension(_Model):
    """An own file that adds to a dictionary that ships."""

    extend: Id
    language: Literal["ru", "en"] = "ru"
    lists: tuple[ListChange, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _no_twins(self) -> Self:
        found = tuple(twins([each.id for each in self.lists]))
        if found:
            raise refusal(found)
        return self


def extended(base: Dictionary, own: Extension) -> tuple[Dictionary | None, tuple[Fault, ...]]:
    """The dictionary with what was added to it, or what keeps that from being done."""
    lists = {each.id: each for each in base.lists}
    faults: list[Fault] = []
    for place, change in enumerate(own.lists):
        known = lists.get(change.id)
        faults += _faults(change, known, place)
        if faults:
            continue
        if known is None:
            lists[change.id] = WordList(
                id=change.id,
                signal=str(change.signal),
                topic=change.topic,
                words=change.words,
                but=change.but,
            )
            continue
        kept = [phrase for phrase in known.words if phrase not in change.without]
        lists[change.id] = known.model_copy(
            update={
                "words": tuple(dict.fromkeys((*kept, *change.words))),
                "but": tuple(dict.fromkeys((*known.but, *change.but))),
            }
        )
    if faults:
        return None, tuple(faults)
    return base.model_copy(update={"lists": tuple(lists.values())}), ()


def _faults(change: ListChange, known: WordList | None, place: int) -> Iterator[Fault]:
    loc = ("lists", place)
    if known is None:
        if change.signal is None or not change.words:
            message = f"список «{change.id}»: в словаре такого нет, а новому нужны signal и words"
            yield Fault("bad-list", message, (*loc, "id"), "или назовите список словаря", change.id)
        elif (change.signal == COMPLAINT) != (change.topic is not None):
            message = f"список «{change.id}»: тема бывает у жалобы, и у жалобы она нужна"
            yield Fault("bad-list", message, (*loc, "id"), f"signal: {COMPLAINT} и topic вместе", change.id)
        if change.without:
            message = f"список «{change.id}» новый: убирать из него нечего"
            yield Fault("bad-list", message, (*loc, "without"), "уберите without")
        return
    if change.signal not in (None, known.signal) or change.topic not in (None, known.topic):
        message = f"список «{change.id}»: сигнал и тема у него уже есть, другими они не станут"
        yield Fault("bad-list", message, (*loc, "id"), "для другого сигнала заведите свой список", change.id)
    for phrase in change.without:
        if phrase not in known.words:
            message = f"в списке «{change.id}» нет фразы «{phrase}», убирать нечего"
            yield Fault(
                "bad-list", message, (*loc, "without"), "проверьте запись: otklik triage list", phrase
            )
    if not change.words and not set(known.words) - set(change.without):
        message = f"список «{change.id}»: после without в нём не осталось ни одной фразы"
        yield Fault("bad-list", message, (*loc, "without"), "оставьте хотя бы одну")
