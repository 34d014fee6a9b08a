"""Survey files: what is refused, and that the message names the very place."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.errors import Place, SurveyInvalid
from bot.surveys.loader import Problem, find_problems, from_json, load_survey, survey_hash, to_json
from bot.surveys.schema import Survey
from bot.surveys.source import MAX_BYTES
from tests.effort import effort
from tests.surveys.turns import SURVEYS

GOOD = """\
id: short
version: 1
language: ru
title: Короткий
company: Ромашка
consent: Здравствуйте!
introduction: Один вопрос.
questions:
  - id: nps
    kind: nps
    ask: Порекомендуете нас?
    reask: Назовите число от нуля до десяти.
  - id: solved
    kind: yes_no
    ask: Решён ли вопрос?
    reask: Да или нет?
triage:
  - id: low
    when: {question: nps, at_most: 6}
    after: solved
    offer: human
"""


def problems(tmp_path: Path, text: str) -> tuple[Problem, ...]:
    file = tmp_path / "survey.yaml"
    file.write_text(text, encoding="utf-8")
    return find_problems(file)


def only(tmp_path: Path, text: str) -> Problem:
    found = problems(tmp_path, text)
    assert len(found) == 1, [str(problem) for problem in found]
    return found[0]


def at(problem: Problem) -> tuple[int, int]:
    return problem.place.line, problem.place.column


def test_a_good_file_loads(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD, encoding="utf-8")
    survey = load_survey(tmp_path / "good.yaml")
    assert [question.id for question in survey.questions] == ["nps", "solved"]
    assert survey.questions[0].reask == ("Назовите число от нуля до десяти.",)
    assert survey.record is False


def test_yes_and_no_are_words_not_booleans(tmp_path: Path) -> None:
    text = GOOD.replace("{question: nps, at_most: 6}", "{question: solved, equals: no}")
    (tmp_path / "good.yaml").write_text(text, encoding="utf-8")
    when = load_survey(tmp_path / "good.yaml").triage[0].when
    assert when.model_dump(exclude_none=True) == {"question": "solved", "equals": "no"}


@pytest.mark.parametrize("file", sorted(SURVEYS.glob("*.yaml")), ids=lambda file: file.stem)
def test_what_ships_is_clean(file: Path) -> None:
    assert find_problems(file) == ()


@pytest.mark.parametrize(
    ("old", "new", "place", "message", "hint"),
    [
        ("title:", "titel:", (4, 1), "неизвестный ключ «titel»", "title"),
        ("    kind: nps\n", "    kind: nps\n    rask: ещё\n", (11, 5), "неизвестный ключ «rask»", "reask"),
        ("    after: solved", "    aftr: solved", (20, 5), "неизвестный ключ «aftr»", "after"),
        ("at_most: 6}", "at_mots: 6}", (19, 27), "неизвестный ключ «at_mots»", "at_most"),
        ("title: К", "texts: {fillr: а}\ntitle: К", (4, 9), "неизвестный ключ «fillr»", "filler"),
        (
            "title: К",
            "closings: {complete: а}\ntitle: К",
            (4, 12),
            "неизвестный ключ «complete»",
            "completed",
        ),
        ("language: ru", "language: fr", (3, 1), "допустимо: 'ru' или 'en'", ""),
        ("version: 1", "version: один", (2, 1), "нужно целое число", ""),
        ("version: 1", "version: 0", (2, 1), "нужно не меньше 1", ""),
        ("kind: nps", "kind: npc", (10, 5), "«npc» не бывает", ""),
        ("id: short", "id: Short Survey", (1, 1), "латинские строчные", ""),
        ("  - id: solved", "  - id: nps", (13, 5), "вопрос «nps» уже есть", ""),
        ("reask: Да или нет?", "reask: Решён  ли вопрос?", (16, 5), "одна и та же фраза дважды", ""),
        ("after: solved", "after: solvd", (20, 12), "вопрос «solvd», которого нет", "solved"),
        ("question: nps, at_most: 6", "question: npc, at_most: 6", (19, 22), "«npc», а такого", "nps"),
        ("at_most: 6", "at_most: 11", (19, 36), "11 нет на шкале от 0 до 10", ""),
        ("at_most: 6", "at_most: 6, equals: 1", (19, 5), "ровно одно сравнение", ""),
        ("at_most: 6", "equals: да", (19, 35), "нет на шкале", ""),
        (
            "{question: nps, at_most: 6}",
            "{signal: complant}",
            (19, 20),
            "сигнала «complant» не бывает",
            "complaint",
        ),
        ("Здравствуйте!", "Здравствуйте, {customer.name|}!", (6, 24), "неизвестное поле", ""),
        ("Здравствуйте!", "Здравствуйте, {customer.first_name}!", (6, 24), "нет запасного слова", ""),
        ("Здравствуйте!", "Здравствуйте}!", (6, 22), "скобка без пары", ""),
        ("kind: yes_no", "kind: csat\n    points: 5\n    positive: [6]", (16, 5), "коды от 1 до 5", ""),
        ("kind: yes_no", "kind: score\n    low: 5\n    high: 5", (13, 5), "low должно быть меньше", ""),
        ("    reask: Да или нет?", "", (13, 5), "не хватает ключа «reask»", ""),
    ],
)
def test_a_fault_is_named_with_its_place(
    tmp_path: Path, old: str, new: str, place: tuple[int, int], message: str, hint: str
) -> None:
    assert old in GOOD
    found = problems(tmp_path, GOOD.replace(old, new, 1))
    matching = [problem for problem in found if message in problem.message]
    assert len(matching) == 1, [str(problem) for problem in found]
    assert at(matching[0]) == place, str(matching[0])
    assert hint in matching[0].hint
    assert not matching[0].unreadable


def test_all_problems_are_told_in_the_order_of_lines(tmp_path: Path) -> None:
    text = GOOD.replace("version: 1", "version: x").replace("at_most: 6", "at_mots: 6")
    found = problems(tmp_path, text.replace("kind: yes_no", "kind: yesno"))
    assert len(found) >= 3
    assert [problem.place.line for problem in found] == sorted(problem.place.line for problem in found)


def test_loading_a_bad_file_raises_with_the_first_place(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(GOOD.replace("title:", "titel:"), encoding="utf-8")
    with pytest.raises(SurveyInvalid) as caught:
        load_survey(file)
    assert caught.value.place == Place(str(file), 1, 1)
    assert "titel" in caught.value.hint


def unreadable(tmp_path: Path, text: str, message: str) -> Problem:
    problem = only(tmp_path, text)
    assert problem.unreadable
    assert message in problem.message
    return problem


def test_a_key_given_twice(tmp_path: Path) -> None:
    problem = unreadable(tmp_path, GOOD.replace("title:", "version:"), "ключ «version» записан дважды")
    assert at(problem) == (4, 1)


def test_a_tab(tmp_path: Path) -> None:
    assert at(unreadable(tmp_path, GOOD.replace("    kind: nps", "\tkind: nps"), "табуляция")) == (10, 1)
    assert at(unreadable(tmp_path, GOOD.replace("Короткий", "Кор\tткий"), "табуляция")) == (4, 11)


def test_a_control_character(tmp_path: Path) -> None:
    assert at(unreadable(tmp_path, GOOD.replace("Короткий", "Кор\x07ткий"), "управляющий")) == (4, 11)


def test_what_is_no_yaml(tmp_path: Path) -> None:
    assert unreadable(tmp_path, GOOD.replace("{question", "{{question"), "это не YAML").place.line >= 19
    assert unreadable(tmp_path, "title: [", "это не YAML").place.line >= 1


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "просто слова\n", "42\n"])
def test_what_is_no_table(tmp_path: Path, text: str) -> None:
    unreadable(tmp_path, text, "таблицей")


def test_two_documents(tmp_path: Path) -> None:
    unreadable(tmp_path, GOOD + "---\n" + GOOD, "больше одного документа")


def test_a_tag(tmp_path: Path) -> None:
    problem = unreadable(tmp_path, GOOD.replace("Короткий", "!!python/object:os.system x"), "тег YAML")
    assert problem.place.line == 4


def test_an_alias_bomb_is_refused_at_once(tmp_path: Path) -> None:
    lines = ["a: &a [ха, ха, ха, ха, ха, ха, ха, ха, ха]"]
    for name, below in zip("bcdefghi", "abcdefgh", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{below}'] * 9)}]")
    text = "\n".join(lines)
    assert unreadable(tmp_path, text, "ссылки YAML").place.line == 1
    assert effort(lambda: problems(tmp_path, text)) < 10_000


def test_deep_nesting_is_refused_at_once(tmp_path: Path) -> None:
    unreadable(tmp_path, "a: " + "[" * 1_900, "вложенность")
    unreadable(tmp_path, "\n".join(" " * depth + "a:" for depth in range(40)), "вложенность")
    unreadable(tmp_path, "a: " + "[" * 20_000, "строка длиннее")
    most = effort(lambda: problems(tmp_path, "a: " + "[" * 1_000))
    assert effort(lambda: problems(tmp_path, "a: " + "[" * 1_900)) <= 2 * most


def test_a_large_file_is_not_even_read(tmp_path: Path) -> None:
    text = "# " + "я" * 5_000_000
    unreadable(tmp_path, text, "слишком большой")
    assert effort(lambda: problems(tmp_path, text)) < 1000


def test_reading_takes_no_more_than_the_length_of_the_file(tmp_path: Path) -> None:
    entry = "  - {id: q, kind: nps, ask: а, reask: б}\n"
    most = (MAX_BYTES - 100) // len(entry.encode())
    assert problems(tmp_path, "questions:\n" + entry * most)

    def read(entries: int) -> int:
        return effort(lambda: problems(tmp_path, "questions:\n" + entry * entries))

    assert read(most // 4) <= 2.2 * read(most // 8)


def test_another_encoding(tmp_path: Path) -> None:
    file = tmp_path / "survey.yaml"
    file.write_bytes(GOOD.encode("cp1251"))
    (problem,) = find_problems(file)
    assert problem.unreadable
    assert "UTF-8" in problem.message
    assert problem.place.line == 4
    file.write_bytes(GOOD.encode("utf-16"))
    assert find_problems(file)[0].unreadable


def test_a_byte_order_mark_and_windows_lines_are_harmless(tmp_path: Path) -> None:
    file = tmp_path / "survey.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert find_problems(file) == ()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (problem,) = find_problems(tmp_path / "nowhere.yaml")
    assert problem.unreadable
    assert find_problems(tmp_path)[0].unreadable


# Publishing ---------------------------------------------------------------------------------


def shipped() -> list[Survey]:
    return [load_survey(file) for file in sorted(SURVEYS.glob("*.yaml"))]


def test_a_published_survey_comes_back_the_same() -> None:
    for survey in shipped():
        text = to_json(survey)
        assert from_json(text) == survey
        assert to_json(from_json(text)) == text
        assert survey_hash(from_json(text)) == survey_hash(survey)
        assert len(survey_hash(survey)) == 64


def test_the_hash_covers_every_sentence(tmp_path: Path) -> None:
    file = tmp_path / "survey.yaml"
    file.write_text(GOOD, encoding="utf-8")
    first = survey_hash(load_survey(file))
    file.write_text("# Замечание\n" + GOOD.replace("title: Короткий", 'title: "Короткий"'), encoding="utf-8")
    assert survey_hash(load_survey(file)) == first
    file.write_text(GOOD + "closings: {completed: Пока!}\n", encoding="utf-8")
    assert survey_hash(load_survey(file)) != first
    file.write_text(GOOD.replace("language: ru", "language: en"), encoding="utf-8")
    assert survey_hash(load_survey(file)) != first


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"id": "x"}', "не json"])
def test_what_was_never_published_is_refused(text: str) -> None:
    with pytest.raises(SurveyInvalid):
        from_json(text)
