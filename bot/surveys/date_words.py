"""The words of days and times of day, and how long the day is in which people are rung."""

from __future__ import annotations

from bot.surveys.words import table

DAY_BEGINS, DAY_ENDS = 9, 21
"""Hours between which «завтра» or «в любое время» lie: nobody means to be rung at night."""

DAYS = {
    "сегодня": 0, "седня": 0, "завтра": 1, "послезавтра": 2, "today": 0, "tomorrow": 1,
}  # fmt: skip

WEEKDAYS = {
    "понедельник": 0, "вторник": 1, "среда": 2, "четверг": 3, "пятница": 4, "суббота": 5, "воскресенье": 6,
    "monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6,
}  # fmt: skip
"""By dictionary form; Monday is 0."""

MONTHS = {
    "январь": 1, "февраль": 2, "март": 3, "апрель": 4, "май": 5, "июнь": 6, "июль": 7, "август": 8,
    "сентябрь": 9, "октябрь": 10, "ноябрь": 11, "декабрь": 12,
    "january": 1, "february": 2, "march": 3, "april": 4, "may": 5, "june": 6, "july": 7, "august": 8,
    "september": 9, "october": 10, "november": 11, "december": 12,
}  # fmt: skip

PARTS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(table("утром утречком утра утро утру morning"), (9, 12)),
    **dict.fromkeys(table("днем afternoon"), (12, 17)),
    **dict.fromkeys(table("вечером вечерком вечера вечер вечеру evening tonight"), (17, 21)),
    **dict.fromkeys(table("обед обеденное обеденный обеда lunch lunchtime"), (12, 14)),
}
"""Parts of the day, hours from and to."""

AFTER_PARTS = {"обеда": (13, 17), "работы": (18, 21), "lunch": (13, 17), "work": (18, 21)}
BEFORE_PARTS = {"обеда": (9, 13), "lunch": (9, 13), "вечера": (12, 17)}
HALVES_OF_DAY = {"первой": (9, 13), "первую": (9, 13), "второй": (13, 18), "вторую": (13, 18)}
WORKING_HOURS = (9, 18)

NIGHT = table("ночью ночи полночь midnight night")

UNITS = {
    **dict.fromkeys(table("минута minute"), 1),
    **dict.fromkeys(table("минутка минуточка"), 1),
    **dict.fromkeys(table("час hour часик часок"), 60),
    **dict.fromkeys(table("день day денек сутки"), 24 * 60),
    **dict.fromkeys(table("неделя week неделька"), 7 * 24 * 60),
    **dict.fromkeys(table("месяц month"), 30 * 24 * 60),
}
"""Minutes in each, by dictionary form."""

COUNTED = table(
    "минут минуты минуток часов часа часиков часика дней дня деньков недель недели месяцев месяца"
)
"""Units as they stand beside the number that counts them: «дня три»; «час» counts itself."""

A_DAY = 24 * 60

STRETCHES = {
    "начале": (0, 2), "начало": (0, 2), "середине": (1, 3), "середину": (1, 3),
    "конце": (3, 4), "конец": (3, 4),
}  # fmt: skip
"""Parts of a week, as its days from Monday."""

AFTER = table("после after позже")
BEFORE = table("до before until till")
SINCE = table("с со from")
AT = table("в во к ко на около часов примерно at by around about ровно")
NEXT = table("следующий next")
THIS = table("этот ближайший this coming")
NOW = table("сейчас now")
ANY = table("любой any anytime")
VAGUE = table("потом когда-нибудь позже попозже later sometime")
CORRECTS = table("нет ой точнее вернее тьфу хотя лучше ошибся ошиблась погодите стоп actually no sorry wait")
