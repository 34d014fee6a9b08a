"""From the text of a condition to its comparisons; whatever is not in the language is refused here.

Python's own parser makes the tree, so that columns are known and precedence is what people expect.
Only the nodes that `Reader` names are let through to be evaluated.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from bot.surveys.problems import Fault

MAX_LENGTH = 500
"""Characters; bounds the work of parsing and evaluating. A long condition is two lines of text."""

VALUES = ("answer", "customer", "agent")
SETS = ("intents", "topics", "signals")

Constant = int | float | str

_ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
}
_NULLS = ("null", "none", "nil")
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison as its symbol sees it: `6 >= answer.nps` is `answer.nps <= 6`.

    `operator` is one of `< <= > >= == !=` with one constant in `values`, `in` and `not in` with the
    listed constants, or `contains` and `lacks`, where the symbol is a set and `values` its one
    member. Where two symbols are compared, `values` is empty and `other` names the second one.
    `near` is the comparison as it is written.
    """

    symbol: str
    operator: str
    values: tuple[Constant, ...]
    other: str = ""
    near: str = ""


_SPACES = str.maketrans("\n\t\r\f", "    ")


class ExpressionInvalid(ValueError):
    """What was written is not in the language; `fault` says what, `column` where, from 1."""

    def __init__(self, fault: Fault, column: int) -> None:
        super().__init__(fault.message)
        self.fault = fault
        self.column = column


def read(text: str) -> tuple[ast.expr, tuple[Comparison, ...]]:
    """The tree of a condition and its comparisons. Raises ExpressionInvalid."""
    if len(text) > MAX_LENGTH:
        raise _invalid(f"условие длиннее {MAX_LENGTH} знаков", 0, "")
    # One line of the same length: a bare line end would end the expression, and what Python counts columns
    # from (a carriage return, a form feed) would move the places that it tells of.
    line = text.translate(_SPACES)
    start = len(line) - len(line.lstrip(" "))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # odd literals are a warning to Python, and a fault here
            tree = ast.parse(line[start:], mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        offset = getattr(error, "offset", 1)
        if offset == 0:  # so Python tells of an unexpected end
            offset = len(line) - start + 1
        raise _syntax(line, start + max(0, (offset or 1) - 1)) from None
    return tree, tuple(_Reader(line, start).comparisons(tree))


def nearest(name: str, known: Collection[str]) -> str:
    """A hint that names what may have been meant, or all that there is."""
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"может быть, {near[0]}?"
    return f"есть: {', '.join(sorted(known))}" if known else ""


def _invalid(
    message: str, column: int, near: str, *, rule: str = "expression-syntax", hint: str = ""
) -> ExpressionInvalid:
    return ExpressionInvalid(Fault(rule, message, hint=hint, near=near), column + 1)


def _syntax(line: str, column: int) -> ExpressionInvalid:
    near = line[column:].split(" ")[0]
    hint = 'например: answer.nps <= 6 and "rudeness" in topics'
    if not line.strip():
        return _invalid("условие пусто", 0, "", hint=hint)
    if near.startswith("=") and not near.startswith("=="):
        hint = "равенство пишется =="
    elif near.startswith(("&", "|", "!")):
        hint = "связки пишутся and, or, not"
    if not line[column:].strip():
        return _invalid("условие оборвано", column, line.split()[-1], hint=hint)
    return _invalid(f"условие не разобрать: «{near}»", column, near, hint=hint)


class _Reader:
    """Walks a parsed tree, lets only the language through, and collects its comparisons."""

    def __init__(self, line: str, start: int) -> None:
        self._line = line
        self._start = start
        self._bytes = line[start:].encode()

    def comparisons(self, node: ast.expr) -> Iterator[Comparison]:
        if isinstance(node, ast.BoolOp):
            for value in node.values:
                yield from self.comparisons(value)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield from self.comparisons(node.operand)
        elif isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
            if len(node.ops) > 1 and not all(isinstance(op, _ORDERS) for op in node.ops):
                raise self._refuse(node, "цепочкой сравнивают только по величине", "разделите связкой and")
            for left, op, right in zip(operands, node.ops, node.comparators, strict=False):
                yield self._comparison(node, left, op, right)
        else:
            raise self._refuse(
                node, "здесь нужно сравнение", 'например: answer.nps <= 6, "billing" in topics'
            )

    def _comparison(self, whole: ast.expr, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Comparison:
        near = self._written(whole)
        sign = _SIGNS.get(type(op))
        if sign is None:
            raise self._refuse(whole, "так не сравнивают", "есть: == != < <= > >= in, not in")
        if sign in ("in", "not in"):
            return self._membership(near, left, sign, right)
        first, second = self._operand(left), self._operand(right)
        if isinstance(first, str):
            if isinstance(second, str):
                return Comparison(first, sign, (), second, near)
            return Comparison(first, sign, self._one(right, second), near=near)
        if isinstance(second, str):
            return Comparison(second, _MIRRORED[sign], self._one(left, first), near=near)
        raise self._refuse(whole, "сравниваются два постоянных значения", "с одной стороны нужен ответ")

    def _membership(self, near: str, left: ast.expr, sign: str, right: ast.expr) -> Comparison:
        member, container = self._operand(left), self._operand(right)
        if isinstance(container, str) and not isinstance(member, str):
            contains = "contains" if sign == "in" else "lacks"
            return Comparison(container, contains, self._one(left, member), near=near)
        if isinstance(member, str) and not isinstance(container, str):
            if isinstance(right, ast.List | ast.Tuple | ast.Set):
                return Comparison(member, sign, container, near=near)
            raise self._refuse(right, "справа от in нужен список", 'например: in ["phone", "chat"]')
        raise self._refuse(left, "in сравнивает значение и список", 'например: "billing" in topics')

    def _operand(self, node: ast.expr) -> str | tuple[Constant, ...]:
        """The name of a symbol, or the constants of a literal."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id not in VALUES:
                hint = nearest(node.value.id, VALUES)
                raise self._refuse(node, f"неизвестное имя «{node.value.id}»", hint, rule="unknown-reference")
            return f"{node.value.id}.{node.attr}"
        if isinstance(node, ast.Name):
            if node.id.casefold() in _NULLS:
                raise self._refuse(
                    node, "сравнение с null всегда ложно", "«не отвечал»: not (answer.nps >= 0)"
                )
            if node.id not in SETS:
                hint = nearest(node.id, (*SETS, *(f"{name}.…" for name in VALUES)))
                raise self._refuse(node, f"неизвестное имя «{node.id}»", hint, rule="unknown-reference")
            return node.id
        if isinstance(node, ast.List | ast.Tuple | ast.Set) and node.elts:
            return tuple(self._constant(item) for item in node.elts)
        return (self._constant(node),)

    def _constant(self, node: ast.expr) -> Constant:
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            hint = 'да и нет пишутся "yes" и "no"' if isinstance(value, bool) else ""
            if isinstance(node, ast.Constant) and node.value is None:
                raise self._refuse(
                    node, "сравнение с None всегда ложно", "«не отвечал»: not (answer.nps >= 0)"
                )
            raise self._refuse(node, "здесь нужно число или текст в кавычках", hint)
        return value

    def _one(self, node: ast.expr, values: tuple[Constant, ...]) -> tuple[Constant, ...]:
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            raise self._refuse(node, "здесь нужно одно значение", "список сравнивают через in")
        return values

    def _written(self, node: ast.expr) -> str:
        start, end = node.col_offset, node.end_col_offset
        return self._bytes[start:end].decode()

    def _refuse(
        self, node: ast.expr, message: str, hint: str = "", *, rule: str = "expression-syntax"
    ) -> ExpressionInvalid:
        column = self._start + len(self._bytes[: node.col_offset].decode())
        return _invalid(message, column, self._written(node), rule=rule, hint=hint)
