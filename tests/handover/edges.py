"""Every edge of a handover by its id, and in which forms there is no such thing, with the reason.

docs/handover.md is written from this table and the times that a run measured (tools/handover_table.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.core.routing import HandoverForm

FORMS: tuple[HandoverForm, ...] = ("bridge", "attended", "blind")

_NO_WHISPER = "при blind сотруднику никто не шепчет: звонит не узел"
_NOT_OURS = "после REFER разговор идёт мимо узла"
_NO_REFER = "узел не посылает REFER"
_DESK = "рабочее место в браузере соединяет только мост"
_NO_NODE = "от формы не зависит: проверено мостом"
"""The worker, the route and the claim are the same whatever the form."""


@dataclass(frozen=True, slots=True)
class Edge:
    """`what` happens, `outcome` by form in one line each; `never` says why a form has no such edge."""

    id: str
    what: str
    outcome: str
    never: dict[str, str] = field(default_factory=dict)

    @property
    def forms(self) -> tuple[HandoverForm, ...]:
        return tuple(form for form in FORMS if form not in self.never)


_BRIDGED = "attended: мост; blind: "
CASE = "звонок обещан, обращение с ответственным и сроком"

EDGES: tuple[Edge, ...] = (
    Edge("accepted", "сотрудник принимает клавишей или голосом", "соединены"),
    Edge("declined_key", "отказ клавишей", CASE, {"blind": _NO_WHISPER}),
    Edge("declined_voice", "отказ голосом", CASE, {"blind": _NO_WHISPER}),
    Edge("declined_button", "отказ кнопкой рабочего места", CASE, {"blind": _NO_WHISPER}),
    Edge("no_answer", "не берёт трубку", CASE),
    Edge("busy", "занят", CASE),
    Edge("voicemail", "отвечает почтовый ящик", CASE, {"blind": _NO_WHISPER}),
    Edge("agent_unreachable", "телефона нет в сети", CASE),
    Edge("agent_drops_in_whisper", "кладёт трубку во время шёпота", CASE, {"blind": _NO_WHISPER}),
    Edge("agent_drops_in_talk", "пропадает в начале разговора",
         "снова тот же сотрудник, если клиент хочет; иначе " + CASE,
         {"attended": _NOT_OURS, "blind": _NOT_OURS}),
    Edge("caller_hangs_up_while_ringing", "клиент кладёт трубку, пока звонят сотруднику", CASE),
    Edge("caller_hangs_up_in_whisper", "клиент кладёт трубку во время шёпота", CASE, {"blind": _NO_WHISPER}),
    Edge("caller_changes_mind", "клиент нажимает два: «не надо»", CASE,
         {"blind": "посланный REFER не отозвать"}),
    Edge("caller_returns", "клиент перезванивает, пока обращение открыто", "соединены, без опроса",
         {"attended": _NO_NODE, "blind": _NO_NODE}),
    Edge("refer_refused", "транк отказывает в REFER", _BRIDGED + CASE, {"bridge": _NO_REFER}),
    Edge("refer_202_silent", "202, и больше ничего", _BRIDGED + CASE, {"bridge": _NO_REFER}),
    Edge("refer_202_bye", "202 и BYE без NOTIFY", CASE, {"bridge": _NO_REFER}),
    Edge("refer_failed_late", "202, звонит, и NOTIFY с отказом", "attended: мост; blind: " + CASE,
         {"bridge": _NO_REFER}),
    Edge("two_agents_claim", "два звонка к одному сотруднику", "один соединён, другому обещан звонок",
         {"attended": _NO_NODE, "blind": _NO_NODE}),
    Edge("nobody_on_shift", "никого нет на смене", CASE, {"attended": _NO_NODE, "blind": _NO_NODE}),
    Edge("all_at_limit", "у всех занято место для перевода", CASE, {"attended": _NO_NODE, "blind": _NO_NODE}),
    Edge("node_drained", "узел останавливают во время перевода", CASE,
         {"attended": _NO_NODE, "blind": _NO_NODE}),
    Edge("worker_killed", "процесс звонков убит во время перевода", CASE,
         {"attended": _NO_NODE, "blind": _NO_NODE}),
    Edge("agent_browser_closed", "страница сотрудника закрыта в разговоре",
         "снова тот же сотрудник, если клиент хочет; иначе " + CASE,
         {"attended": _DESK, "blind": _DESK}),
    Edge("agent_browser_reconnects", "страница сотрудника перезагружена в разговоре", "разговор продолжается",
         {"attended": _DESK, "blind": _DESK}),
)  # fmt: skip

BY_ID = {edge.id: edge for edge in EDGES}
