"""The names by which handlers of pages read addresses, forms and JSON, found in their source: a new one is
attacked as soon as it is written.

Forms and JSON are what is called `form`, `sent`, `given` or `fields`, addresses what is called `query` or
`….query`; whoever calls one otherwise is told so (`Read.strange`). A name that is computed is worked out by
the names of its own module, as patterns are (patterns_in.py).
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from aiohttp import web

ROOT = Path(__file__).parents[2]

FORMS, QUERIES = frozenset({"form", "sent", "given", "fields"}), frozenset({"query"})
MAKERS = frozenset({"post", "json_of", "form_of", "receive"})
"""What hands a form over, or JSON."""

READING = frozenset({"get", "getall", "getone"})


@dataclass
class Read:
    """What a module or a function reads. `computed` are the reads whose names its source alone does not tell;
    `json` is whether it takes JSON."""

    query: set[str] = field(default_factory=set)
    form: set[str] = field(default_factory=set)
    computed: set[str] = field(default_factory=set)
    strange: set[str] = field(default_factory=set)
    json: bool = False

    def __ior__(self, other: Read) -> Read:
        self.query |= other.query
        self.form |= other.form
        self.computed |= other.computed
        self.strange |= other.strange
        return self


def handlers(app: web.Application) -> dict[str, tuple[str, str]]:
    """The module and the function that answer, by `METHOD /pattern` of each route."""
    return {
        f"{route.method} {route.resource.canonical}": (route.handler.__module__, route.handler.__name__)
        for route in app.router.routes()
        if route.resource is not None
    }


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(_file(module).read_text("utf-8"))


def _file(module: str) -> Path:
    place = ROOT / Path(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def modules() -> Iterator[str]:
    for file in sorted((ROOT / "bot/web").rglob("*.py")):
        inside = file.relative_to(ROOT).with_suffix("").parts
        if "node_modules" not in inside and inside[-1] != "__init__":
            yield ".".join(inside)


@cache
def reach(module: str) -> frozenset[str]:
    """This module and all of `bot.web` that it has from others, and they from others."""
    found, left = {module}, [module]
    while left:
        for node in ast.walk(tree_of(left.pop())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bot.web"):
                parts = [f"{node.module}.{each.name}" for each in node.names]
                fresh = {each for each in (node.module or "", *parts) if _file(each).is_file()} - found
                found |= fresh
                left += fresh
    return frozenset(found)


@cache
def functions(module: str) -> Mapping[str, Sequence[ast.AST]]:
    """Functions and methods, by name."""
    found: dict[str, list[ast.AST]] = {}
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.setdefault(node.name, []).append(node)
    return found


@cache
def reads(module: str, function: str = "") -> Read:
    """What this function itself reads; "" for the whole module."""
    found, tree = Read(), tree_of(module)
    above = _above(module)
    for node in chain.from_iterable(map(ast.walk, functions(module)[function] if function else [tree])):
        if isinstance(node, ast.Assign):
            found.strange |= {f"{module}: {name}" for name in _strangely_called(node)}
        for of, name in _reading(node):
            kind = found.query if _is_query(of) else found.form
            try:
                kind |= _said(module, name, above)
            except (NameError, AttributeError, TypeError):
                found.computed.add(f"{module}: {ast.unparse(node)}")
    return found


@cache
def all_reads(module: str, function: str) -> Read:
    """What is read in the course of it: by itself, and by whatever function of `bot.web` bears a name that
    stands in it."""
    found, seen, left = Read(), set[tuple[str, str]](), [(module, function)]
    while left:
        here = left.pop()
        if here in seen:
            continue
        seen.add(here)
        found |= reads(*here)
        names = set[str]()
        for node in chain.from_iterable(map(ast.walk, functions(here[0])[here[1]])):
            names |= {node.id} if isinstance(node, ast.Name) else set()
            names |= {node.attr} if isinstance(node, ast.Attribute) else set()
        found.json |= "json_of" in names
        left += [(each, name) for each in reach(here[0]) for name in names & functions(each).keys()]
    return found


@cache
def _above(module: str) -> Mapping[ast.AST, ast.AST]:
    tree = tree_of(module)
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def _reading(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What is read from, and the name."""
    match node:
        case ast.Call(func=ast.Attribute(value=of, attr=attr), args=[name, *_]) if attr in READING:
            pairs = [(of, name)]
        case ast.Call(func=ast.Name(), args=[of, ast.Constant(value=str()) as name, *_]):
            pairs = [(of, name)]
        case ast.Subscript(value=of, slice=name, ctx=ast.Load()):
            pairs = [(of, name)]
        case ast.Compare(left=name, ops=[ast.In() | ast.NotIn()], comparators=[of]):
            pairs = [(of, name)]
        case _:
            pairs = []
    yield from ((of, name) for of, name in pairs if _is_query(of) or _is_form(of))


def _is_query(of: ast.expr) -> bool:
    match of:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in QUERIES
    return False


def _is_form(of: ast.expr) -> bool:
    match of:
        case ast.Name(id=name):
            return name in FORMS
        case ast.Await(value=ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name))):
            return name in MAKERS
    return False


def _strangely_called(node: ast.Assign) -> Iterator[str]:
    """Names that are none of ours for a form or an address."""
    for target in node.targets:
        pairs = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=True))
        for name, value in pairs:
            names = {each.id for each in ast.walk(name) if isinstance(each, ast.Name)}
            if (_is_form(value) and not names & FORMS) or (_is_query(value) and not names & QUERIES):
                yield ", ".join(sorted(names))


def _said(module: str, name: ast.expr, above: Mapping[ast.AST, ast.AST]) -> set[str]:
    """Every name that it stands for. Raises NameError, AttributeError, TypeError for what is not known."""
    if isinstance(name, ast.Constant):
        return {name.value} if isinstance(name.value, str) else set()
    known = vars(importlib.import_module(module))
    wanted = {each.id for each in ast.walk(name) if isinstance(each, ast.Name)}
    node: ast.AST = name
    while node in above:
        node = above[node]
        loops = [node] if isinstance(node, ast.For) else getattr(node, "generators", [])
        for loop in loops:
            if wanted & {each.id for each in ast.walk(loop.target) if isinstance(each, ast.Name)}:
                each_of = ast.ListComp(name, [ast.comprehension(loop.target, loop.iter, [], 0)])
                return set(map(str, _value(each_of, known)))
    return {str(_value(name, known))}


def _value(node: ast.expr, known: Mapping[str, Any]) -> Any:
    expression = ast.fix_missing_locations(ast.Expression(node))
    return eval(compile(expression, "name", "eval"), dict(known))  # noqa: S307
