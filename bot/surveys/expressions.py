"""The language of conditions: comparisons over answers, what was heard, and the people of a call.

    answer.nps <= 6 and "rudeness" in topics
    answer.resolved == "no" or not (answer.effort >= 3)
    "delivery" in answer.reasons and customer.first_name == "Анна"

Symbols: `answer.<question id>`, `customer.<field>`, `agent.<field>` are values; `intents`, `topics`
and `signals` are sets of names. Compared with `== != < <= > >= in`, joined by `and or not` and
brackets. A comparison with what is not known is false whatever its operator, so `not (…)` of it
is true. Text is compared as text: dates in ISO order, ids for equality.

There are no calls, no arithmetic, no subscripts, and no way from a value to Python: simpleeval
evaluates a tree of the few nodes that `parse` let through, and looks attributes up in plain tables.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema
from simpleeval import SimpleEval

from bot.surveys.comparisons import (
    MAX_LENGTH,
    SETS,
    VALUES,
    Comparison,
    Constant,
    ExpressionInvalid,
    nearest,
    read,
)
from bot.surveys.problems import refusal

__all__ = [
    "MAX_LENGTH",
    "SETS",
    "VALUES",
    "Comparison",
    "Constant",
    "Expression",
    "ExpressionInvalid",
    "nearest",
    "parse",
]

_NAMES = (*VALUES, *SETS)

_ORDERS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


@dataclass(frozen=True)
class Expression:
    """A condition that has been parsed; equal to another of the same text."""

    text: str
    comparisons: tuple[Comparison, ...] = field(compare=False, repr=False)
    tree: ast.expr = field(compare=False, repr=False)

    @property
    def symbols(self) -> frozenset[str]:
        """What it reads: `answer.nps`, `customer.first_name`, `topics`."""
        named = {part for comparison in self.comparisons for part in (comparison.symbol, comparison.other)}
        return frozenset(named - {""})

    @property
    def answers(self) -> frozenset[str]:
        """The ids of the questions whose answers it reads."""
        return frozenset(name.removeprefix("answer.") for name in self.symbols if name.startswith("answer."))

    def holds(self, known: Mapping[str, Any]) -> bool:
        """Whether it holds where `known` has a table for each of VALUES and a set for each of SETS.

        What a table lacks, None and an empty text are not known.
        """
        return bool(_Evaluator(known).eval(self.text, previously_parsed=self.tree))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.str_schema()
        return core_schema.no_info_plain_validator_function(
            cls._validated,
            json_schema_input_schema=written,
            serialization=core_schema.plain_serializer_function_ser_schema(_text_of, return_schema=written),
        )

    @classmethod
    def _validated(cls, value: Any) -> Expression:
        if isinstance(value, Expression):
            return value
        try:
            return parse(str(value))
        except ExpressionInvalid as error:
            raise refusal([error.fault]) from error


def _text_of(expression: Expression) -> str:
    return expression.text


def parse(text: str) -> Expression:
    """Raises ExpressionInvalid."""
    tree, comparisons = read(text)
    return Expression(text, comparisons, tree)


def _where_known(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """The comparison, and false where a side is not known or the sides have no common order."""

    def compared(left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        if compare in _ORDERS.values() and isinstance(left, str) != isinstance(right, str):
            return False
        return compare(left, right)

    return compared


def _is_in(member: Any, container: Any) -> bool:
    return not isinstance(container, str | int | float) and member in container


def _is_not_in(member: Any, container: Any) -> bool:
    return not isinstance(container, str | int | float) and member not in container


_OPERATORS: dict[type[ast.AST], Callable[..., bool]] = {
    ast.Not: operator.not_,
    **{node: _where_known(order) for node, order in _ORDERS.items()},
    ast.Eq: _where_known(operator.eq),
    ast.NotEq: _where_known(operator.ne),
    ast.In: _where_known(_is_in),
    ast.NotIn: _where_known(_is_not_in),
}


class _Evaluator(SimpleEval):  # type: ignore[misc]  # simpleeval brings no types
    """simpleeval cut down to the nodes that the language has."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        super().__init__(operators=_OPERATORS, functions={}, names={name: known.get(name) for name in _NAMES})
        self.nodes = {
            ast.BoolOp: self._eval_boolop,
            ast.UnaryOp: self._eval_unaryop,
            ast.Compare: self._eval_compare,
            ast.Name: self._eval_name,
            ast.Constant: self._eval_constant,
            ast.Attribute: self._field,
            **dict.fromkeys((ast.List, ast.Tuple, ast.Set), self._constants),
        }

    def _field(self, node: ast.Attribute) -> Any:
        value = self._eval(node.value).get(node.attr)
        return None if value == "" else value

    def _constants(self, node: ast.List | ast.Tuple | ast.Set) -> tuple[Constant, ...]:
        return tuple(self._eval(item) for item in node.elts)
