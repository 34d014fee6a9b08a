"""The tables of docs/campaigns.md: the keys of a campaign file, the reasons not to ring, the rules of lint.

    .venv/bin/python tools/campaign_tables.py

They are made from what the program itself goes by, and are written between their marks in the page.
"""

from __future__ import annotations

from pathlib import Path

from survey_tables import LEVELS, keys_of, written_into

from bot.campaigns.json_schema import campaign_schema
from bot.campaigns.linting import RULES
from bot.campaigns.reason_words import REASONS
from bot.campaigns.reasons import Reason, ReasonKind

PAGE = Path(__file__).resolve().parent.parent / "docs/campaigns.md"

KINDS = {
    ReasonKind.TIME: "пройдёт само",
    ReasonKind.STANDING: "пока не изменится",
    ReasonKind.FINAL: "навсегда",
}


def reasons() -> str:
    rows = ["| причина | код | надолго ли |", "|---|---|---|"]
    rows += [f"| {words[0]} | `{code}` | {KINDS[Reason(code).kind]} |" for code, words in REASONS.items()]
    return "\n".join(rows) + "\n"


def rules() -> str:
    rows = ["| правило | | что не так | как надо |", "|---|---|---|---|"]
    rows += [
        f"| `{rule.id}` | {LEVELS[rule.level]} | {rule.meaning} | {rule.mend} |" for rule in RULES.values()
    ]
    return "\n".join(rows) + "\n"


def tables() -> dict[str, str]:
    """Every table of the page, by the name in its marks."""
    schema = campaign_schema()
    parts = schema["$defs"]
    return {
        "campaign": keys_of(schema),
        "caller": keys_of(parts["Caller"]),
        "calling": keys_of(parts["Calling"]),
        "retries": keys_of(parts["Retries"]),
        "frequency": keys_of(parts["Frequency"]),
        "pacing": keys_of(parts["Pacing"]),
        "breaker": keys_of(parts["Breaker"]),
        "quota": keys_of(parts["Quota"]),
        "reasons": reasons(),
        "lint": rules(),
    }


def with_tables(page: str) -> str:
    """The page with all its tables made anew."""
    return written_into(page, tables())


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
