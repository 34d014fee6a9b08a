"""`otklik bench`: what the bot is measured by, one sub-command a measurement."""

from __future__ import annotations

import typer

from bot.cli import (
    bench_amd,
    bench_answers,
    bench_asr,
    bench_bridge,
    bench_campaign,
    bench_capacity,
    bench_compare,
    bench_export,
    bench_fuzz,
    bench_reply_gap,
    bench_reports,
    bench_soak,
)
from bot.words import words

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _bench() -> None:
    """Измерения."""


app.command(
    "amd", help=words("Кто взял трубку: верно ли и как скоро", "Who took the call: how well, how soon")
)(bench_amd.amd)
app.command(
    "answers", help=words("Ответы с голоса: верно ли взяты", "Spoken answers: how well they are taken")
)(bench_answers.answers)
app.command("asr", help=words("Как слышит модель: слова, шумы, скорость", "How well and fast a model hears"))(
    bench_asr.asr
)
app.command("bridge", help=words("Задержка моста: туда и обратно", "The bridge's delay, there and back"))(
    bench_bridge.bridge
)
app.command("campaign", help=words("Обзвон фермы телефонов", "A campaign against a farm of telephones"))(
    bench_campaign.campaign
)
app.command(
    "fuzz",
    help=words("Испорченные сообщения узлу: падает ли он", "Does a node survive damaged messages"),
)(bench_fuzz.fuzz_node)
app.command(
    "capacity", help=words("Сколько звонков сразу держит узел", "How many calls at once a node holds")
)(bench_capacity.capacity)
app.command("reply-gap", help=words("Паузы бота на сокете клиента", "Reply gaps at the caller's socket"))(
    bench_reply_gap.reply_gap
)
app.command(
    "compare", help=words("Конец реплики: мы и одна тишина на всё", "End of turn: ours and one fixed silence")
)(bench_compare.compare_ways)
app.command("reports", help=words("Время чисел отчёта в большой базе", "Time of a report's figures"))(
    bench_reports.reports
)
app.command(
    "soak", help=words("Долго держать звонки: не растёт ли узел", "Calls for a long time: does a node grow")
)(bench_soak.soak)
app.command(
    "export-during-calls",
    help=words("Мешает ли выгрузка звонкам", "Whether an export disturbs calls"),
)(bench_export.export_during_calls)
