"""Did a call go as its scenario says? Pure: the report and the scenario in, sentences out."""

from __future__ import annotations

from bot.sim.results import CallReport
from bot.sim.scenario import Call
from bot.sim.sounds import ToneReading

DOMINANCE = 0.5
HEARD_S = 1.0
"""A tone counts as heard when for a second in all it made up more than half of what there was."""


def failures(call: Call, report: CallReport) -> list[str]:
    """What is not as it should be, a sentence each; empty when all is well."""
    return [*_stored(call, report), *_measured(call, report), *_tones(call, report)]


def _stored(call: Call, report: CallReport) -> list[str]:
    expect, wrong = call.expect, []
    if expect.disposition is not None and report.disposition != expect.disposition:
        wrong.append(f"исход {report.disposition or 'не сохранён'}, а ожидался {expect.disposition.value}")
    for question, value in expect.answers.items():
        got = report.answers.get(question)
        if value == "*" and got is None:
            wrong.append(f"на вопрос {question} нет ответа")
        elif value != "*" and got != value:
            wrong.append(f"на вопрос {question} сохранено {got!r}, а ожидалось {value!r}")
    if expect.transferred_to is not None and report.transferred_to != expect.transferred_to:
        wrong.append(f"переведён на {report.transferred_to or 'никого'}, а ожидалось {expect.transferred_to}")
    return wrong


def _measured(call: Call, report: CallReport) -> list[str]:
    expect, wrong = call.expect, []
    slowest = max(report.reply_gaps_ms, default=0)
    if expect.max_reply_gap_ms is not None and slowest > expect.max_reply_gap_ms:
        wrong.append(f"бот ответил через {slowest} мс, а можно {expect.max_reply_gap_ms}")
    for name, measured, limit in (
        ("тишина", report.longest_silence_s, expect.max_silence_s),
        ("тишина по вине бота", report.longest_bot_silence_s, expect.max_bot_silence_s),
    ):
        if limit is not None and measured > limit:
            wrong.append(f"{name} {measured:.2f} с, а можно {limit:.2f}")
    return wrong


def _tones(call: Call, report: CallReport) -> list[str]:
    if call.after_transfer is None:
        return []
    wrong = []
    for who, hz, reading in (
        ("клиент не слышал агента", call.after_transfer.expect_hz, report.tones.caller_heard),
        ("агент не слышал клиента", call.after_transfer.tone_hz, report.tones.agent_heard),
    ):
        if reading is None:
            wrong.append(f"{who}: перевода не было")
        elif not heard(reading):
            wrong.append(f"{who}: тон {hz:g} Гц, доля {reading.dominance}, всего {reading.heard_s} с")
    return wrong


def heard(reading: ToneReading) -> bool:
    return reading.dominance >= DOMINANCE and reading.heard_s >= HEARD_S
