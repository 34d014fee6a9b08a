"""Every regular expression of the product, found in its source: a new one is there as soon as it is written.

A pattern is read where it is given to `re`, by the names of its own module. How it is used (`search`,
`match`, `fullmatch`…) is read from whatever is done with its name; of one that is
handed on, every use is believed.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "dialogue", "telephony")

SEARCHED = frozenset({"search", "sub", "subn", "split", "findall", "finditer"})
"""From every place of a text on; `match` and `fullmatch` begin at one place."""
SAID = "aa"
USES = SEARCHED | {"match", "fullmatch"}


@dataclass(frozen=True)
class Found:
    """`where` is a module and a line. `uses` are `searched`, `match`, `fullmatch`."""

    where: str
    pattern: str | bytes
    flags: int
    uses: frozenset[str]


@dataclass(frozen=True)
class Built:
    """A pattern that is put together from what the module does not know: `source` is how."""

    where: str
    source: str


def files() -> Iterator[Path]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            inside = file.relative_to(ROOT).parts
            if not {".venv", "node_modules", "__pycache__"} & set(inside):
                yield file


class Sources:
    """All of them, parsed once."""

    def __init__(self) -> None:
        self.trees: dict[str, ast.Module] = {}
        for file in files():
            parts = file.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            self.trees[name] = ast.parse(file.read_text("utf-8"))
        self._imports: dict[str, list[tuple[str, str, str]]] = {}
        for name, tree in self.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom) and node.module:
                    for each in node.names:
                        told = (name, each.asname or each.name, each.name)
                        self._imports.setdefault(node.module, []).append(told)

    def patterns(self) -> Iterator[Found | Built]:
        for module, tree in self.trees.items():
            yield from self._of(module, tree)

    def _of(self, module: str, tree: ast.Module) -> Iterator[Found | Built]:
        given = list(_calls(tree))
        names = names_of(module, tree) if given else {}
        for call, bound in given:
            where, argument = f"{module}:{call.lineno}", call.args[0]
            function = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            uses = _kinds({function}) if function != "compile" else self._uses(module, bound)
            flags = {each.arg: each.value for each in call.keywords}.get("flags")
            if function == "compile" and len(call.args) > 1:
                flags = call.args[1]
            try:
                pattern = _value(_Escaped().visit(argument) if bound == "" else argument, names)
                if isinstance(pattern, re.Pattern):
                    continue  # it was found where it was made
                yield Found(where, pattern, int(_value(flags, names)) if flags else 0, uses)
            except NameError:
                yield Built(module, ast.unparse(argument))

    def _uses(self, module: str, name: str) -> frozenset[str]:
        if not name:
            return _kinds(USES)
        places = [(module, name)]
        places += [(by, called) for by, called, was in self._imports.get(module, []) if was == name]
        used: set[str] = set()
        for where, called in places:
            used |= _used(self.trees[where], called)
        return _kinds(used or USES)


def names_of(module: str, tree: ast.Module) -> Mapping[str, Any]:
    """What the module's names mean. Of one that is Rasa's, with packages that are not here, what its own
    assignments say."""
    try:
        found: ModuleType = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if module.startswith("dialogue.") and not (error.name or "").startswith(PACKAGES):
            return _assigned(tree)
        raise
    return vars(found)


def _assigned(tree: ast.Module) -> Mapping[str, Any]:
    names: dict[str, Any] = {"re": re, "frozenset": frozenset, "sys": sys}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                names[node.targets[0].id] = _value(node.value, names)
            except NameError:
                continue  # of another package; who asks for it is told so
    return names


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """Raises NameError for what the module does not know."""
    return eval(compile(ast.Expression(node), "pattern", "eval"), dict(names))  # noqa: S307


class _Escaped(ast.NodeTransformer):
    """What is escaped stands for itself, whatever it says: here it says `SAID`."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if ast.unparse(node.func) == "re.escape" and isinstance(node.args[0], ast.Name):
            return ast.copy_location(ast.Constant(SAID), node)
        self.generic_visit(node)
        return node


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    """What is given to `re`, and the name that the outcome gets in the module, if any."""
    bound: dict[ast.Call, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name):
                inner = (each for each in ast.walk(node.value) if isinstance(each, ast.Call))
                bound |= dict.fromkeys(inner, target.id)
    for each in ast.walk(tree):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
            of = each.func.value
            if isinstance(of, ast.Name) and of.id == "re" and each.func.attr in USES | {"compile"}:
                yield each, bound.get(each, "")


def _used(tree: ast.Module, name: str) -> set[str]:
    """The methods that are called on this name, or on what it holds; all of them where it is handed on."""
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            outer = above[node]
            if isinstance(outer, ast.Subscript) and outer.value is node:
                outer = above[outer]
            used |= {outer.attr} if isinstance(outer, ast.Attribute) and outer.attr in USES else USES
    return used


def _kinds(used: set[str] | frozenset[str]) -> frozenset[str]:
    searched = {"searched"} if used & SEARCHED else set()
    return frozenset(used - SEARCHED | searched)
