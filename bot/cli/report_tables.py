"""A report as tables of a terminal: every figure with its n and its denominator, a small n greyed."""

from __future__ import annotations

from datetime import date

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.reports.funnel import QuestionFigures
from bot.reports.measures import SMALL, Change, Measure, Scale
from bot.reports.report import Report, Row
from bot.reports.slices import NOTICED, By
from bot.reports.wording import (
    NONE,
    by_name,
    change_value,
    digits_of,
    end_name,
    interval,
    number,
    scale_name,
    score_value,
    signal_name,
    step_name,
    topic_name,
)
from bot.surveys.scoring import Score
from bot.words import words

GREY = "dim"


def show(console: Console, found: Report) -> None:
    period = found.scope.period
    console.print(
        Text.assemble(
            (f"{period.first:%d.%m.%Y} – {period.last:%d.%m.%Y}", "bold"),
            (f"  {period.zone}", GREY),
            (f"  {_narrowed(found)}", GREY),
        )
    )
    if found.empty:
        console.print(words("За этот период звонков нет.", "There are no calls in this period."))
        return
    _scores(console, found)
    _corrected(console, found)
    if found.by is not None:
        _rows(console, found, found.by)
        return
    _funnel(console, found)
    _questions(console, found)
    _handling(console, found)
    _matters(console, found)


def score_text(scale: Scale, score: Score, *, small: bool) -> Text:
    """«62,5 (55,1…69,2)», with % for CSAT; greyed where it rests on few answers."""
    if score.value is None:
        return Text(NONE, style=GREY)
    shown = score_value(scale, score)
    if between := interval(score, digits_of(scale)):
        shown += f" ({between})"
    return Text(shown, style=GREY if small else "")


def share_text(score: Score) -> Text:
    if score.value is None:
        return Text(NONE, style=GREY)
    shown = f"{number(score.value)} %"
    if between := interval(score):
        shown += f" ({between})"
    return Text(shown, style=GREY if score.count < SMALL else "")


def count_text(count: int) -> Text:
    """A word beside the colour: not every terminal and nobody's printer shows grey."""
    if 0 < count < SMALL:
        return Text(f"{count} {words('(мало)', '(few)')}", style=GREY)
    return Text(str(count), style="" if count else GREY)


def change_text(change: Change | None, scale: Scale) -> Text:
    if change is None or change.value is None:
        return Text(NONE, style=GREY)
    shown = change_value(change, scale)
    if not change.clear:
        return Text(f"{shown} {words('в пределах случайного', 'may be chance')}", style=GREY)
    return Text(shown, style="bold")


def _table(heads: str, *, left: int = 1) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, head in enumerate(heads.split("|")):
        table.add_column(head, justify="left" if place < left else "right", overflow="fold")
    return table


def _narrowed(found: Report) -> str:
    of = found.scope
    return ", ".join(
        (*of.employees, *of.departments, *of.surveys, *of.campaigns, *map(topic_name, of.topics))
    )


def _scores(console: Console, found: Report) -> None:
    if not found.scores.measures:
        console.print(words("Оценок нет.", "There are no scores."))
        return
    table = _table(
        words(
            "Оценка|n|значение (95 %)|среднее|к периоду до|из чего",
            "Score|n|value (95 %)|mean|to the period before|made of",
        )
    )
    for each in found.scores.measures:
        table.add_row(
            scale_name(each.scale),
            count_text(each.count),
            score_text(each.scale, each.score, small=each.small),
            number(each.mean.value, 2),
            change_text(found.changes.get(each.scale), each.scale),
            _made_of(each),
        )
    console.print(table)
    if found.scores.unread:
        console.print(
            words(
                f"Ответов, чья шкала здесь неизвестна: {found.scores.unread}, они не учтены.",
                f"Answers on a scale that is not known here: {found.scores.unread}, not counted.",
            )
        )


def _made_of(each: Measure) -> str:
    if each.scale.kind == "nps":
        return words(
            f"промоутеры {each.promoters}, нейтралы {each.passives}, критики {each.detractors}",
            f"promoters {each.promoters}, passives {each.passives}, detractors {each.detractors}",
        )
    return " ".join(f"{code}:{each.counts[code]}" for code in sorted(each.counts))


def _funnel(console: Console, found: Report) -> None:
    table = _table(
        words("Воронка|звонков|доля (95 %)|от чего|период до", "Funnel|calls|share (95 %)|of|period before")
    )
    before = {step.name: step.count for step in found.funnel_before.steps()}
    for step in found.funnel.steps():
        table.add_row(
            step_name(step.name),
            str(step.count),
            NONE if step.name == step.of else share_text(step.share),
            NONE if step.name == step.of else f"{step_name(step.of)}: {step.of_count}",
            str(before[step.name]),
        )
    console.print(table)
    ends = ", ".join(f"{end_name(end)} {times}" for end, times in found.outcomes.items())
    console.print(f"{words('Итоги', 'Outcomes')}: {ends}" if ends else "", style=GREY)


def _questions(console: Console, found: Report) -> None:
    if not found.questions:
        return
    table = _table(
        words(
            "Вопрос|задан|ответ|не знает|отказ|нет ответа|ушли (95 %)|переспрошен (95 %)",
            "Question|put|answered|don't know|refused|no answer|left (95 %)|re-asked (95 %)",
        )
    )
    for each in found.questions:
        table.add_row(*_question(each))
    console.print(table)


def _question(each: QuestionFigures) -> tuple[str | Text, ...]:
    counts = (each.answered, each.dont_know, each.refused, each.no_answer)
    return (
        f"{each.survey_id}.{each.question_id}",
        count_text(each.put),
        *map(str, counts),
        share_text(each.drop_off),
        share_text(each.reask_rate),
    )


def _handling(console: Console, found: Report) -> None:
    of, back = found.handling, found.repeats
    table = _table(words("Обслуживание|значение|от чего", "Handling|value|of"))
    calls = f"{step_name('answered')}: {of.calls}"
    joined = words(f"соединений: {of.connected}", f"joined: {of.connected}")
    seconds = words("с", "s")
    held = words(f"разговоров, чьё удержание видно: {of.watched}", f"talks with known holds: {of.watched}")
    for name, value, base in (
        (words("звонок, среднее", "call, mean"), f"{number(of.call_s)} {seconds}", calls),
        (
            words("разговор с сотрудником, среднее", "agent's talk, mean"),
            f"{number(of.talk_s)} {seconds}",
            joined,
        ),
        (
            words("до сотрудника, среднее", "time to agent, mean"),
            f"{number(of.to_agent_s)} {seconds}",
            joined,
        ),
        (words("из них за 20 секунд", "within 20 seconds"), share_text(of.soon_share), joined),
        (
            words("передач удалось", "handovers joined"),
            share_text(of.connected_share),
            words(f"передач: {of.handovers}", f"handovers: {of.handovers}"),
        ),
        (words("с удержанием", "with a hold"), share_text(of.held_share), held),
        (
            words("на удержании, среднее", "on hold, mean"),
            f"{number(of.held_s)} {seconds}",
            words(f"с удержанием: {of.held}", f"with a hold: {of.held}"),
        ),
        (
            words("обращений на клиента", "contacts per customer"),
            number(of.contacts_per_customer, 2),
            words(f"клиентов: {of.customers}", f"customers: {of.customers}"),
        ),
        (
            words(f"позвонили снова за {back.days} дн.", f"rang again within {back.days} days"),
            share_text(back.share),
            words(
                f"входящих, чей срок прошёл: {back.contacts}", f"incoming calls of full term: {back.contacts}"
            ),
        ),
    ):
        table.add_row(name, value, base)
    console.print(table)


def _matters(console: Console, found: Report) -> None:
    of = found.matters
    parts = (
        (words("Темы жалоб", "Topics of complaints"), {topic_name(k): v for k, v in of.topics.items()}),
        (words("Другие темы", "Other topics"), {topic_name(k): v for k, v in of.others.items()}),
        (words("Замечено", "Noticed"), {signal_name(k): v for k, v in of.signals.items()}),
        (words("Чем найдено", "Found by"), of.rules),
    )
    for name, counts in parts:
        if counts:
            console.print(f"{name}: " + ", ".join(f"{what} {times}" for what, times in counts.items()))
    if of.negative:
        console.print(
            words(
                "Недовольство в словах (жалоба или раздражение): ",
                "Discontent in words (complaint or anger): ",
            )
            + f"{of.negative}, {share_text(of.negative_share)}"
        )
    if any(counts for _, counts in parts):
        console.print(
            words(
                f"Найдено правилами и списками слов, а intent:… — распознаванием намерений; "
                f"звонков, где ответил человек: {of.calls}.",
                f"Found by rules and word lists, intent:… by the NLU; calls answered by a human: {of.calls}.",
            ),
            style=GREY,
        )


def _corrected(console: Console, found: Report) -> None:
    of = found.corrected
    if of.answers or of.topics:
        told = words(
            f"Исправлено вручную и так посчитано: ответов {of.answers}, тем {of.topics}.",
            f"Corrected by hand, and counted so: {of.answers} answers, topics of {of.topics} calls.",
        )
        console.print(told, style=GREY)


def _rows(console: Console, found: Report, by: By) -> None:
    scales = [each.scale for each in found.scores.measures]
    names = "|".join(map(scale_name, scales))
    heads = words(
        f"{by_name(by)}|звонков|ответил человек|пройден, %|соединены|{names}|звонок, с",
        f"{by_name(by)}|calls|answered by a human|completed, %|handed over|{names}|call, s",
    )
    table = _table(heads.replace("||", "|"))
    for row in found.rows:
        table.add_row(*_row(row, by, scales))
    console.print(table)
    console.print(
        words(
            f"«Мало» — меньше {SMALL} ответов. «Пройден» — от звонков, где задан первый вопрос.",
            f"«Few»: fewer than {SMALL} answers. «Completed» is of the calls in which a question was put.",
        )
        + (
            words(" Звонок может стоять в нескольких строках.", " A call may count in several lines.")
            if by in NOTICED
            else ""
        ),
        style=GREY,
    )


def _row(row: Row, by: By, scales: list[Scale]) -> tuple[str | Text, ...]:
    completed = next(step for step in row.funnel.steps() if step.name == "completed")
    measured = [_measured(row.scores.of(scale)) for scale in scales]
    return (
        _label(row, by),
        str(row.funnel.dialled),
        str(row.funnel.answered),
        number(completed.share.value) if completed.of_count else NONE,
        str(row.funnel.handed_over),
        *measured,
        number(row.handling.call_s),
    )


def _measured(each: Measure) -> Text:
    """Two lines: the score with its n, and the interval."""
    score = each.score
    if score.value is None:
        return Text(NONE, style=GREY)
    digits = digits_of(each.scale)
    head = f"{number(score.value, digits)}  n={each.count}"
    between = interval(score, digits)
    few = words(" мало", " few") if each.small else ""
    below = f"\n{between}" if between else ""
    return Text.assemble((head, GREY if each.small else ""), (below + few, GREY))


def _label(row: Row, by: By) -> str:
    if by.grain is not None:
        form = {By.MONTH: "%m.%Y", By.YEAR: "%Y"}.get(by, "%d.%m.%Y")
        return date.fromisoformat(row.key).strftime(form)
    if by is By.TOPIC:
        return topic_name(row.key)
    if not row.key:
        return words("не указан", "none")
    return f"{row.label} ({row.key})" if row.label else row.key
