"""The do-not-call list as a table that proves each of its numbers."""

from __future__ import annotations

from bot.campaigns.contacts import shown_phone
from bot.store.do_not_call import Proof

PROOF_HEADS = (
    "Телефон", "Когда", "Источник", "Слова", "Кто внёс", "Звонок", "Звонили", "Опрос", "Запись",
    "Снято", "Кто снял", "Почему снято",
)  # fmt: skip


def proof_cells(proof: Proof) -> list[str]:
    row, call, gone = proof.row, proof.call, proof.removed
    return [
        shown_phone(row.phone),
        row.at.isoformat(timespec="seconds"),
        row.source,
        row.words,
        row.by,
        row.call_id,
        (call.dialled_at or call.created_at).isoformat(timespec="seconds") if call else "",
        call.survey_id if call else "",
        call.recording if call else "",
        gone.removed_at.isoformat(timespec="seconds") if gone else "",
        gone.removed_by if gone else "",
        gone.reason if gone else "",
    ]
