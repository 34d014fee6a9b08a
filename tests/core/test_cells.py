from __future__ import annotations

import pytest

from bot.core.cells import as_meant, harmless

FORMULAS = ["=1+1", "@SUM(A1)", "-1+2|cmd", "+cmd", "\tx", "\r=1", "\n=1", "＝1+1", "+7\t=1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_that_we_write_is_a_formula_and_reading_takes_the_guard_off(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert as_meant(harmless(text)) == text


@pytest.mark.parametrize(
    "text", ["+79161234567", "+7916, +7926", "-2", "-", "Анна", "", "минус 2 = плохо", "'кавычка'"]
)
def test_what_is_no_formula_stays(text: str) -> None:
    assert harmless(text) == text
    assert as_meant(text) == text
