"""Numbers that are denied, bounded, or only near what is meant: «не восемь», «больше пяти не дам»,
«восемь с половиной», «поставил бы десять, но …»."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.surveys.company import CAN, FRAME, GIVING, NOT, POINTS, Company
from bot.surveys.morphology import can_be
from bot.surveys.numerals import Form
from bot.surveys.words import UNKNOWN, table

MORE = table("больше выше более меньше ниже менее хуже more less higher lower above below over under")
_ALMOST = table("почти малого ближе almost nearly around")
_HALF_AFTER = re.compile(
    r"(половин\w*|целых|хвостик\w*|копейк\w*|небольшим|лишним|гаком|запятая|точка|half|point)"
)
_DECIMAL_POINT = table("целых запятая точка point")
_TENTHS = re.compile(r"(десятых|сотых)")

_IMPOSSIBLE = table("никак нельзя невозможно")
_COMES = table("будет жди ждите дождетесь видать светит")
_BETWEEN_DENIAL = table(
    "вам вас ему ей им бы на и даже ставить поставить дать давать оценить никак а a an as this it you",
    "him her я ты он она они мы вы оно совсем прям прямо вполне то чтобы чтоб give say is мне me",
)
"""«Не могу вам поставить … десять»: between the denial and what it denies."""

_SURELY = table(
    "это точно однозначно явно конечно уж ну вам вообще прямо совсем там никак так тут я думаю вы"
)
_NEVER_SO = (
    ("вряд", "ли"), ("едва", "ли"), ("ни", "в", "коем"), ("ни", "в", "какую"), ("ни", "при", "каких"),
    ("ни", "за", "что"), ("ни", "под", "каким"), ("не", "про", "вас"), ("не", "вариант"), ("не", "светит"),
    ("отпадает",), ("невозможно",), ("дудки",), ("фигушки",), ("шиш",),
    ("out", "of", "the", "question"), ("no", "way"),
)  # fmt: skip
_NO_SUCH = table("нет нету no")
_EARNED = re.compile(
    r"(нарабо|отрабо|зарабо|срабо|работа|дотя|вытя|дотян|набир|набра|смахив|похож|рассчит|старал|постарал|сдела"
    r"|ощущ|прокат|катит|выгляд|соответств|подход|готов|способ|справ|дораст|дорос|хвата|хвати)\w*"
)
"""«На девятку не наработали»: what earns a score or falls short of it."""

_RHETORICAL = table("какой какая какую какие какое")
_FORMERLY = re.compile(r"(раньше|прошл\w+|прежде|обычно|вчера|usually|before)")
_TURNS = table("а но сейчас теперь сегодня because but now")
_TOO_MUCH = table("много многовато мало маловато слишком жирно чересчур перебор")
_GRUDGED = table("жалко жаль")
_GRUDGED_TO = table("вам вас ему ей им вообще даже за для на и")
_GAVE = re.compile(r"(ставил|поставил|давал|дал|оценивал|оценил|был)[аои]?")
_URGED = re.compile(r"(по)?(просил|велел|уговарив|требов)\w*")
_MEANT_TO = re.compile(r"(хотел\w*|собирал\w*|думал\w*|планировал\w*)")


def bounded(company: Company) -> bool:
    """«Больше пяти», «выше чем на пять»."""
    back = 1
    while company.prev(back) in ("на", "чем", "than", "как"):
        back += 1
    return company.prev(back) in MORE


def names_a_point(company: Company) -> bool:
    """«Не больше пяти», «больше пяти не дам», «выше семи никак» name a point; «больше пяти» does not."""
    back = company.before[-6:-1]
    denied = not (NOT | _IMPOSSIBLE | {"no"}).isdisjoint(back)
    refused = not (NOT | _IMPOSSIBLE | {"нет", "нету"}).isdisjoint(company.until[:3])
    return denied or refused


def is_denied(company: Company) -> bool:
    """«Не восемь», «десятку не поставлю»."""
    return _denied_before(company) or _denied_after(company)


def _denied_before(company: Company) -> bool:
    """«Не восемь», «не на восемь», «не могу поставить восемь», «какая там десятка»."""
    if company.prev() in ("чем", "than") or company.prev() in _RHETORICAL:
        return True
    if company.prev() == "там" and company.prev(2) in _RHETORICAL:
        return True
    if company.place:
        earlier = Company(company.words, company.numbers, company.place - 1)
        if _denied_after(earlier) and not _denied_before(earlier):
            return company.prev() in NOT  # «пять не поставлю, четыре»: the denial is taken
    since = list(company.since)[-6:]
    given = False
    for back in range(1, len(since) + 1):
        word = since[-back]
        if word in NOT | {"нельзя"}:
            twice = back < len(since) and since[-back - 1] in CAN  # «не могу не поставить»
            return not twice
        if word in _BETWEEN_DENIAL or word in CAN or word == UNKNOWN:
            continue
        if given or not GIVING.match(word):  # «не поставлю, поставлю восемь»: denied was the first
            return False
        given = True
    return False


def _denied_after(company: Company) -> bool:
    """«Десятку не поставлю», «десять я вам точно не дам»; another number in between parts them."""
    until = list(company.until)
    if _ruled_out(company):
        return True
    for place, word in enumerate(until[:4]):
        if place and word in NOT and GIVING.match(until[place - 1]) and until[place + 1 : place + 2]:
            return until[place + 1] in CAN  # «поставить не могу»
        if word in NOT and place == 1 and until[0] == "больше" and not company.number.heard.endswith("у"):
            return False  # «четыре, больше не заслужили»; «десятку больше не поставлю» denies it
        if word in NOT:
            rest = until[place + 1 : place + 3]
            return bool(rest) and (
                GIVING.match(rest[0]) is not None
                or rest[0] in _COMES
                or (rest[0] in CAN and len(rest) > 1 and GIVING.match(rest[1]) is not None)
            )
        if word == "нельзя":
            return place < 2
    return False


def _ruled_out(company: Company) -> bool:
    """«Восемь точно нет», «девять вряд ли», «десять исключено», «на девятку не наработали»."""
    until = list(company.until)
    ahead = next((place for place, word in enumerate(until) if word not in _SURELY), len(until))
    rest = until[ahead:]
    if any(tuple(rest[: len(phrase)]) == phrase for phrase in _NEVER_SO):
        return True
    if rest[:1] and rest[0].startswith("исключ"):
        return True
    if ahead and rest[:1] and rest[0] in _NO_SUCH:  # «восемь, точно, нет замечаний» rules nothing out
        return len(rest) == 1 or rest[1] in _TURNS | {"конечно", "спасибо", "скорее", "максимум"}
    towards = company.prev() in ("на", "до", "к") or company.number.form is Form.NOUN
    return towards and rest[:1] == ["не"] and len(rest) > 1 and _EARNED.fullmatch(rest[1]) is not None


def is_hint(company: Company) -> bool:
    """«Пять с половиной», «почти десять», «ближе к восьми»; «[unk]» after «не» may deny or not."""
    following = company.following(2) if company.following() in ("с", "and") else company.following()
    following = company.following(3) if company.following(2) == "a" else following
    if following == "точка" and len(company.after) == 1:
        return False  # «девять, точка»
    if _HALF_AFTER.fullmatch(following) or any(_TENTHS.fullmatch(word) for word in company.after[:3]):
        return True
    almost = company.prev() in _ALMOST or company.prev(2) in _ALMOST
    if (almost and not is_nearest(company)) or _after_the_point(company):
        return True
    if company.prev() in ("от", "между", "from", "between"):
        return True  # one end of a range that was not finished
    if company.number.value == 100 and company.prev() in ("все", "всех"):
        return True
    return company.number.value == 0 and (
        _is_lacking(company.following()) or (_is_lacking(company.prev()) and company.prev() not in NOT)
    )


def is_nearest(company: Company) -> bool:
    """«Ближе к восьми» is rounded to eight; «ближе к восьми, чем к девяти» is not settled."""
    return company.prev(2) == "ближе" and company.prev() in ("к", "ко") and "чем" not in company.words


def _after_the_point(company: Company) -> bool:
    """The second five of «пять целых пять», «пять и пять десятых»; not «целых десять»."""
    joined = company.place > 0 and len(company.since) == 1
    return joined and company.prev() in _DECIMAL_POINT


def all_points(company: Company) -> bool:
    """«На все пять», «все десять баллов», «ставлю все пять»."""
    given = GIVING.match(company.prev(2)) is not None
    return given or company.prev(2) == "на" or POINTS.fullmatch(company.following()) is not None


def _is_lacking(word: str) -> bool:
    """«Ноль помощи», «толку ноль»: what there is none of."""
    if not word.isalpha() or POINTS.fullmatch(word):
        return False
    if word.isascii():
        return word not in FRAME
    of_it = can_be(word, "NOUN", "gent", least=0.2) or can_be(word, "NOUN", "gen2")
    return of_it and not can_be(word, "NOUN", "nomn", least=0.3)


def is_unreal(company: Company) -> bool:
    """«Поставил бы десять, но …», «десять, если бы …», «раньше десять»: not what he gives now."""
    after = " ".join(company.after)
    until = list(company.until)
    more_follows = company.place + 1 < len(company.numbers)
    for place, word in enumerate(until[:4]):
        judged = {"то", "это"} & set(until[:place]) and not (more_follows and place == len(until) - 1)
        if word in _TOO_MUCH and (more_follows or not place) and not judged:
            return True  # «пять много, четыре», «десять это перебор, восемь»
    if until[:1] and until[0] in _GRUDGED and (len(until) == 1 or until[1] in _GRUDGED_TO):
        return True  # «и единицы жалко», not «десять, жалко, больше нельзя»
    near = company.before[-4:]
    if any(word.startswith("мог") for word in near) and {"быть", "было"} & set(near):
        return True
    would = (
        "бы" in near
        or "бы" in until[:3]
        or any(_MEANT_TO.fullmatch(word) for word in near)
        or "would" in near
    )
    return (
        (would and _turns_away(company.after))
        or _is_wished(company)
        or any(_URGED.fullmatch(word) for word in company.since[-4:])
        or _supposed(company)
        or ("бы" in near and not {"рад", "рада", "рады", "радостью"}.isdisjoint(near))
        or "если бы" in after
        or "если б " in f"{after} "
        or any(_FORMERLY.fullmatch(word) for word in company.since[-4:])
        or _given_formerly(company)
    )


def _supposed(company: Company) -> bool:
    """«Если бы решили, была бы девятка»; not «если бы можно, одиннадцать, а так десять»."""
    before = list(company.before)
    opened = [
        at
        for at in range(len(before) - 1)
        if before[at] in ("если", "когда") and before[at + 1] in ("бы", "б")
    ]
    if not opened:
        return False
    said = before[opened[-1] + 2 :]
    return _TURNS.isdisjoint(said) and "так" not in said and ("бы" in said or "бы" in company.until[:2])


def _turns_away(after: Sequence[str]) -> bool:
    """«Но» anywhere, «а» only before the reasons: «…бы восемь, потому что раньше плохо, а сейчас …»."""
    words = list(after)
    said = words[: words.index("потому")] if "потому" in words else words
    return not {"но", "потом", "but"}.isdisjoint(words) or "а" in said


def _is_wished(company: Company) -> bool:
    """«А хотелось бы пять», «хотелось бы поставить десять»."""
    back = 1
    while company.prev(back) in ("бы", "было", "на") or GIVING.match(company.prev(back)):
        back += 1
    return company.prev(back) == "хотелось"


def _given_formerly(company: Company) -> bool:
    """«Я уже ставил восемь в прошлый раз»; not «восемь, а в прошлый раз было пять»."""
    until = list(company.until)
    turns = [at for at, word in enumerate(until) if word in _TURNS]
    clause = until[: turns[0]] if turns else until
    gave = any(_GAVE.fullmatch(word) for word in (*company.since[-3:], *clause[:4]))
    return gave and any(_FORMERLY.fullmatch(word) for word in clause[:4])
