"""The filters of the journal as they stand in the address, and back.

employee, department, survey, campaign, topic, disposition (each may stand more than once), score (`nps:0-6`),
from, to (2026-03-01, both included), longer, shorter (seconds), text, phone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from multidict import MultiMapping

from bot.core.endings import Disposition
from bot.core.errors import BadInput
from bot.core.intents import Topic
from bot.reports.journal import Journal, score_range
from bot.reports.periods import day_of
from bot.store.transcripts import question
from bot.words import words

MANY = ("employee", "department", "survey", "campaign", "topic", "disposition")
SINGLE = ("score", "from", "to", "longer", "shorter", "text", "phone")
LONGEST = 200

SCORES = (
    ("nps:0-6", "NPS 0–6"),
    ("nps:7-8", "NPS 7–8"),
    ("nps:9-10", "NPS 9–10"),
    ("csat:1-2", "CSAT 1–2"),
    ("csat:3-3", "CSAT 3"),
    ("csat:4-5", "CSAT 4–5"),
    ("ces:1-3", "CES 1–3"),
    ("ces:5-7", "CES 5–7"),
)
"""What the form offers; an address may have any other range."""


@dataclass(frozen=True, slots=True)
class Filters:
    """`given` is what was asked for, name by name, as it stood in the address."""

    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, query: MultiMapping[str], *, numbers: bool) -> Filters:
        """Without `numbers` nobody is looked for by his telephone."""
        names = [*MANY, *(name for name in SINGLE if numbers or name != "phone")]
        found = {name: tuple(filter(None, map(str.strip, query.getall(name, ())))) for name in names}
        return cls({name: values for name, values in found.items() if values})

    def one(self, name: str) -> str:
        return self.given.get(name, ("",))[0]

    def many(self, name: str) -> tuple[str, ...]:
        return self.given.get(name, ())

    def address(self, path: str, **more: str) -> str:
        """A page with the same filters."""
        pairs = [(name, value) for name, values in self.given.items() for value in values]
        query = urlencode([*pairs, *((name, value) for name, value in more.items() if value)])
        return f"{path}?{query}" if query else path

    @property
    def narrower(self) -> bool:
        """Whether any of those is used that the form folds away."""
        return bool(set(self.given) - {"text", "from", "to", "employee", "score"})

    @property
    def told(self) -> dict[str, list[str]]:
        """For the audit log: what was filtered by, but no words and no number."""
        return {
            name: ["…"] if name in ("text", "phone") else list(values) for name, values in self.given.items()
        }

    def journal(self, zone: str) -> Journal:
        """Raises BadInput for what cannot be read, with the field's name."""
        if any(len(value) > LONGEST for values in self.given.values() for value in values):
            raise BadInput(words(f"фильтр длиннее {LONGEST} знаков", f"a filter of over {LONGEST} letters"))
        found = Journal(
            zone=zone,
            first=day_of(day) if (day := self.one("from")) else None,
            last=day_of(day) if (day := self.one("to")) else None,
            employees=self.many("employee"),
            departments=self.many("department"),
            surveys=self.many("survey"),
            campaigns=self.many("campaign"),
            topics=_known(self.many("topic"), list(Topic)),
            dispositions=_known(self.many("disposition"), list(Disposition)),
            score=score_range(self.one("score")) if self.one("score") else None,
            longer_s=_seconds(self.one("longer")),
            shorter_s=_seconds(self.one("shorter")),
            phone=self.one("phone"),
            asked=question(self.one("text")),
        )
        if found.first and found.last and found.last < found.first:
            raise BadInput(
                words(
                    f"период кончается {found.last}, раньше, чем начинается ({found.first})",
                    f"the period ends on {found.last}, before it begins ({found.first})",
                )
            )
        return found


def _seconds(written: str) -> float | None:
    if not written:
        return None
    try:
        seconds = int(written)
    except ValueError as error:
        raise BadInput(words(f"«{written}» не секунды", f"«{written}»: no seconds"), hint="60") from error
    if not 0 <= seconds <= 86_400:
        raise BadInput(
            words(f"«{written}» с: столько звонок не длится", f"«{written}» s: no call is so long"), hint="60"
        )
    return seconds


def _known(values: tuple[str, ...], members: list[str]) -> tuple[str, ...]:
    wrong = [value for value in values if value not in members]
    if wrong:
        told = ", ".join(wrong)
        raise BadInput(words(f"«{told}» не знаю", f"«{told}» is not known"), hint=", ".join(members))
    return values
