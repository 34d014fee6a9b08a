"""Pauses in texts: taken apart, bounded whatever is filled in, told where they are wrong, never shown."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.context import Person
from bot.surveys.breaks import LONGEST_S, Piece, faults, pieces, without_breaks
from bot.surveys.meaning import words_of
from bot.surveys.piping import check, render
from tests.surveys.turns import NPS, context


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Да.", [Piece("Да.")]),
        ('Да. <break time="500ms"/> Нет.', [Piece("Да.", 0.5), Piece("Нет.")]),
        ("Да,<break time='0.3s'/>нет", [Piece("Да,", 0.3), Piece("нет")]),
        ('Да <break  time = "1s" /> нет', [Piece("Да", 1.0), Piece("нет")]),
        ('<break time="1s"/> Да <break time="1s"/>', [Piece("Да")]),
        ('Да <break time="300ms"/> <break time="700ms"/> нет', [Piece("Да", 0.7), Piece("нет")]),
        ('Да <break time="60s"/> нет', [Piece("Да", LONGEST_S), Piece("нет")]),
        ('Да <break time="1m"/> нет', [Piece('Да <break time="1m"/> нет')]),
        ('<break time="1s"/>', []),
        ("", []),
    ],
)
def test_a_text_is_taken_apart_at_its_pauses(text: str, found: list[Piece]) -> None:
    assert list(pieces(text)) == found


parts = st.lists(
    st.sampled_from(["да", "Нет.", " ", ", ", '<break time="200ms"/>', "<break time='1.5s'/>", "<break/>"])
)


@settings(max_examples=60, deadline=None)
@given(parts.map("".join))
def test_no_pause_is_too_long_or_at_an_edge_and_no_word_is_lost(text: str) -> None:
    found = pieces(text)
    assert all(0 < piece.silence_s <= LONGEST_S for piece in found[:-1])
    assert not found or found[-1].silence_s == 0
    assert all(piece.text.strip() == piece.text != "" for piece in found)
    assert "".join("".join(piece.text.split()) for piece in found) == "".join(without_breaks(text).split())
    if not list(faults(text)):
        assert "<" not in without_breaks(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('Да <break time="2s"/> нет', "2 с"),
        ('Да <break time="10ms"/> нет', "0.01 с"),
        ('Да <break time="500"/> нет', "пишется"),
        ("Да <break time=500ms/> нет", "пишется"),
        ('Да <break time="500ms"> нет', "пишется"),
        ("Да <break/> нет", "пишется"),
        ("Да </break> нет", "пишется"),
        ('Да <BREAK time="500ms"/> нет', "пишется"),
        ("Да <break", "пишется"),
        ('<break time="500ms"/> Да', "не разделяет"),
        ('Да <break time="500ms"/>', "не разделяет"),
        ("Да <p>нет", "только пауза"),
        ('<speak version="1.1">Да', "только пауза"),
        ("<!-- нет --> Да", "только пауза"),
    ],
)
def test_a_mark_that_is_wrong_is_told_with_its_words(text: str, said: str) -> None:
    (fault,) = faults(text)
    assert said in fault.message
    assert fault.near in text


@pytest.mark.parametrize("text", ["Да", '{customer.first_name|}<break time="1s"/> Да', "2 < 3", "Да 😀"])
def test_what_is_right_or_no_mark_is_not_told(text: str) -> None:
    assert list(faults(text)) == []


@pytest.mark.parametrize(
    ("name", "spoken"),
    [
        ("Анна", 'Анна, <break time="300ms"/> оцените нас <break time="300ms"/> Анна.'),
        ("", "Оцените нас."),
        (
            '<break time="9s"/>',
            'Break time="9s"/, <break time="300ms"/> оцените нас <break time="300ms"/> break time="9s"/.',
        ),
    ],
)
def test_a_field_leaves_no_pause_behind_and_brings_none(name: str, spoken: str) -> None:
    name_of = "{customer.first_name|}"
    text = f'{name_of}, <break time="300ms"/> оцените нас <break time="300ms"/> {name_of}.'
    said = render(check(text), context(NPS, customer=Person(first_name=name)), "Ромашка")
    assert said == spoken
    assert max((piece.silence_s for piece in pieces(said)), default=0.0) <= 0.3


def test_pauses_are_neither_shown_nor_another_meaning() -> None:
    text = 'Оцените нас <break time="400ms"/>, от нуля <break time="1s"/> до десяти!'
    assert without_breaks(text) == "Оцените нас, от нуля до десяти!"
    assert words_of(text) == words_of("Оцените нас, от нуля до десяти?")
