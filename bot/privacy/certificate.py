"""The certificate of an erasure: what was erased, when, by whom, and what has to stay; pure.

Made of the erasure's row alone, so that it can be had again, and is the same to the byte: its SHA-256 is on
record. The person's number is not in it, but for its last two digits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from bot.store.tables_privacy import ErasureRow
from bot.words import words

KINDS: Mapping[str, tuple[str, str]] = {
    "calls": ("звонки обезличены", "calls without their person"),
    "events": ("события звонков очищены", "events of calls blanked"),
    "transcripts": ("расшифровки удалены", "transcripts deleted"),
    "answers": ("ответы: слова удалены", "answers: words blanked"),
    "free_answers": ("ответы: свободные, числа, даты удалены", "answers: open, numbers, dates blanked"),
    "corrections": ("исправления: пояснения удалены", "corrections: notes blanked"),
    "notes": ("заметки сотрудников удалены", "notes of agents blanked"),
    "callbacks": ("обещания перезвонить очищены", "promised calls blanked"),
    "cases": ("обращения очищены", "cases blanked"),
    "case_history": ("история обращений очищена", "history of cases blanked"),
    "handovers": ("переводы очищены", "handovers blanked"),
    "deliveries": ("ответы чужих систем удалены", "answers of other systems blanked"),
    "survey_links": ("ссылки на опрос очищены", "links to surveys blanked"),
    "recordings": ("записи разговоров удалены", "recordings deleted"),
    "spooled_events": ("события в журнале узла очищены", "events in the node's spool blanked"),
    "contacts": ("карточки клиента удалены", "contacts deleted"),
    "contacts_with_this_number": ("чужие карточки с этим номером исправлены", "others' contacts corrected"),
    "consents": ("согласия обезличены", "consents without their person"),
    "do_not_call": ("строки списка «не звонить» удалены", "do-not-call rows deleted"),
    "do_not_call_removed": ("история запретов удалена", "history of do-not-call deleted"),
    "campaign_members": ("участие в кампаниях обезличено", "members of campaigns without their person"),
    "requests": ("просьбы о звонке удалены", "requested calls deleted"),
    "audit_lines": ("строки журнала действий обезличены", "lines of the audit log without their person"),
}
"""What the counts of an erasure are called."""


def kept() -> list[str]:
    """What has to stay, and why."""
    return [
        words(
            "номер — только под ключевым хешем (HMAC-SHA-256): чтобы на него больше никогда не звонить",
            "the number, under a keyed hash (HMAC-SHA-256) only: so that it is never rung again",
        ),
        words(
            "цифры отчётов: итог, длительность, оценки и выбранные варианты, без связи с человеком",
            "the figures of reports: ends, durations, scores and choices, tied to nobody",
        ),
        words(
            "факт и время согласий и отзывов, номер и текст под хешем: для доказательства",
            "that and when consents were given or withdrawn, number and wording hashed: as proof",
        ),
        words(
            "резервные копии, сделанные раньше: после восстановления из них повторите удаление",
            "backups that were made before: repeat the erasure after restoring one",
        ),
    ]


def certificate(row: ErasureRow, shown: str) -> dict[str, Any]:
    """`shown` is the number as it may be read. The hash is that of all the rest, as `canonical` has it."""
    assert row.done_at is not None
    told = {
        "certificate": row.id,
        "number": shown,
        "number_hmac": row.sealed,
        "begun_at": row.begun_at.isoformat(),
        "done_at": row.done_at.isoformat(),
        "by": row.by,
        "reason": row.reason,
        "erased": dict(row.counts.get("erased", {})),
        "left": dict(row.counts.get("left", {})),
    }
    return told | {"sha256": hashlib.sha256(canonical(told)).hexdigest()}


def canonical(told: Mapping[str, Any]) -> bytes:
    """JSON with sorted keys, without spaces, in UTF-8."""
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def as_markdown(told: Mapping[str, Any]) -> str:
    """For a person to read and to sign."""
    lines = [
        words("# Справка об удалении персональных данных", "# Certificate of erasure"),
        "",
        f"- {words('номер справки', 'certificate')}: `{told['certificate']}`",
        f"- {words('телефон', 'telephone')}: {told['number']}",
        f"- {words('начато', 'begun')}: {told['begun_at']}",
        f"- {words('закончено', 'done')}: {told['done_at']}",
        f"- {words('кто удалил', 'by')}: {told['by']}",
        f"- {words('основание', 'reason')}: {told['reason'] or '—'}",
        "",
        words("## Удалено", "## Erased"),
        "",
        words("| что | сколько |", "| what | how many |"),
        "|---|---:|",
        *(f"| {words(*KINDS.get(kind, (kind, kind)))} | {count} |" for kind, count in told["erased"].items()),
        "",
        words("## Осталось", "## Kept"),
        "",
        *(f"- {line}" for line in kept()),
    ]
    if told["left"]:
        lines += [
            "",
            words("## Номер ещё встречается", "## The number is found yet"),
            "",
            *(f"- `{place}`: {count}" for place, count in told["left"].items()),
        ]
    return "\n".join([*lines, "", f"SHA-256: `{told['sha256']}`", ""])
