"""What `bench capacity` found, on a terminal and as a section of a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from bot.cli.bench_tables import Row, markdown_table, taken_on, wide_console, write_section
from bot.sim.bench.capacity import Limit
from bot.words import words

TARGET_CALLS, TARGET_CORE_S = 40, 1.6
"""Issue 9, on two cores with the small model."""

_RESOURCES = {
    Limit.MEMORY: ("память ({share})", "memory ({share})"),
    Limit.LINES: ("линии стека SIP ({share} из 255)", "the SIP stack's lines ({share} of 255)"),
    Limit.PROCESSOR: (
        "процессоры, вместе с телефонами ({share})",
        "the processors, telephones included ({share})",
    ),
    Limit.MEDIA_WORKER: (
        "один поток рабочего процесса ({share} ядра)",
        "the media worker's one thread ({share} of a core)",
    ),
    Limit.DIALOGUE: ("процесс Rasa ({share} ядра)", "Rasa's process ({share} of a core)"),
}
_PROBLEMS = {
    "reply_gap": ("пауза", "reply gap"),
    "late_audio": ("звук опоздал", "late audio"),
    "failed_calls": ("звонки не удались", "failed calls"),
}


def _problems(names: Iterable[str]) -> str:
    return ", ".join(words(*_PROBLEMS[name]) for name in names)


def _heads() -> list[str]:
    return words(
        "звонков сразу|пауза p50, мс|p95, мс|опоздало, %|оборвано, %|узел, ядер|из них worker|его поток|"
        "из них Rasa|телефоны, ядер|занято|ядро-с на минуту звонка|память узла, МБ|держит",
        "calls at once|reply gap p50, ms|p95, ms|late, %|torn, %|node, cores|of them worker|its thread|"
        "of them Rasa|telephones, cores|busy|core-s a call-minute|node's memory, MB|held",
    ).split("|")


def _rows(found: Mapping[str, Any]) -> Iterator[Row]:
    cores = ("node_cores", "worker_cores", "loop_cores", "rasa_cores", "callers_cores")
    for point in found["points"]:
        gaps = (point["gap_p50_ms"], point["gap_p95_ms"])
        yield (
            str(point["calls"]),
            *("-" if gap is None else str(gap) for gap in gaps),
            f"{point['late'] * 100:.3f}",
            f"{point['torn'] * 100:.3f}",
            *(f"{point[name]:.2f}" for name in cores),
            f"{point['busy']:.0%}",
            f"{point['core_s_per_minute']:.2f}",
            f"{point['rss_mb']:.0f}",
            words("да", "yes") if point["held"] else words("нет: ", "no: ") + _problems(point["problems"]),
        )


def limit_sentence(found: Mapping[str, Any]) -> str:
    """Which resource ends first; where none was used up, which one is the next to be."""
    limit, calls = Limit(found["limit"]), found["limit_calls"]
    if limit is Limit.NOT_REACHED:
        return words(
            "Предел не достигнут: больше не пробовали.", "The limit is not reached: no more were tried."
        )
    if limit is Limit.FAILED_CALLS:
        return words(
            "Предел не в ресурсах: никто не ждал дольше положенного, но звонки не удались "
            f"(звонков сразу: {calls}).",
            f"The limit is no resource: nobody waited for longer than he may, but calls failed ({calls} at "
            "once).",
        )
    resource = words(*_RESOURCES[limit]).format(share=f"{found['limit_share'] * 100:.0f} %")
    if found["limit_used_up"]:
        return words(
            f"Предел: {resource}, звонков сразу {calls}.", f"The limit: {resource}, with {calls} calls."
        )
    return words(
        f"Предел: не исчерпан ни один ресурс; ближе всего к концу {resource}, звонков сразу {calls}.",
        f"The limit: no resource was used up; the nearest to its end: {resource}, with {calls} calls.",
    )


def _sentences(found: Mapping[str, Any]) -> Iterator[str]:
    if found["noise_dbfs"] is not None:
        noise = f"{found['noise_dbfs']:g}"
        yield words(f"Шум у звонящих {noise} дБ.", f"The callers are amid noise of {noise} dB.")
    if not found["calls"]:
        yield words("Ни одна из этих нагрузок не выдержана.", "None of these loads was held.")
        yield limit_sentence(found)
        return
    broken = found["not_held"]
    beyond, beyond_en = "", ""
    if broken is not None:
        beyond = f"; {broken['calls']} уже нет: {_problems(broken['problems'])}"
        beyond_en = f"; not {broken['calls']}: {_problems(broken['problems'])}"
    yield words(
        f"Звонков сразу узел держит {found['calls']} (цель {found['target_calls']}){beyond}.",
        f"The node holds {found['calls']} calls at once (target {found['target_calls']}){beyond_en}.",
    )
    yield limit_sentence(found)
    yield words(
        f"Пауза p95 {found['reply_gap_p95_ms']} мс (цель ≤ 1000); минута звонка стоит узлу "
        f"{found['core_seconds_per_call_minute']} ядро-секунды (цель ≤ {TARGET_CORE_S}) и звонок "
        f"{found['mb_per_call']} МБ сверх {found['idle_mb']} МБ без звонков; телефоны заняли "
        f"{found['callers_cores']} ядра и сюда не входят.",
        f"Reply gap p95 {found['reply_gap_p95_ms']} ms (target ≤ 1000); a minute of a call costs the node "
        f"{found['core_seconds_per_call_minute']} core-seconds (target ≤ {TARGET_CORE_S}), a call "
        f"{found['mb_per_call']} MB on top of {found['idle_mb']} MB without calls; the telephones took "
        f"{found['callers_cores']} cores, which are not in it.",
    )
    refused = found["refused"]
    if refused is None:
        return
    yield words(
        f"Узел ровно с {found['calls']} линиями, все заняты: следующий получил SIP {refused['status']} "
        f"через {refused['after_ms']} мс, остальные звонки шли дальше.",
        f"A node of just {found['calls']} lines, all taken: the next caller was given SIP "
        f"{refused['status']} after {refused['after_ms']} ms, and the others went on.",
    )


def show(found: Mapping[str, Any]) -> None:
    table = Table(box=box.SIMPLE)
    for head in _heads():
        table.add_column(head, justify="right")
    for row in _rows(found):
        table.add_row(*row)
    console = wide_console()
    console.print(table)
    for sentence in _sentences(found):
        console.print(sentence)


def write_capacity(page: Path, found: Mapping[str, Any]) -> None:
    """Raises BadInput where the page has no place for it."""
    sentences = "\n".join(f"- {sentence}" for sentence in _sentences(found))
    table = markdown_table(_heads(), _rows(found))
    write_section(page, "capacity", f"{taken_on(found)}\n\n{table}\n\n{sentences}")
