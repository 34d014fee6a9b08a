"""Sub-commands that are imported only when they are called: help and completion stay quick."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar, NamedTuple

import typer
from typer.core import TyperGroup


class Lazy(NamedTuple):
    """A sub-command's module (with a Typer named `app`) and its line in the help."""

    module: str
    help: str


class LazyGroup(TyperGroup):
    """Lists every sub-command whose module exists; imports the one that is called."""

    lazy: ClassVar[Mapping[str, Lazy]] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for name, lazy in self.lazy.items() if find_spec(lazy.module) is not None]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """For lists and completion: the name and its line, without the import."""
        if cmd_name not in self.list_commands(ctx):
            return None
        return typer.main.get_command(_placeholder(cmd_name, self.lazy[cmd_name].help))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        self.commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else load(name, self.lazy[name]), rest


def lazy_group(commands: Mapping[str, Lazy]) -> type[LazyGroup]:
    """The class of a group with these sub-commands, for `typer.Typer(cls=…)`."""
    return type("LazyGroup", (LazyGroup,), {"lazy": commands})


def _placeholder(name: str, line: str) -> typer.Typer:
    shown = typer.Typer(add_completion=False)
    shown.command(name, help=line)(lambda: None)
    return shown


def load(name: str, lazy: Lazy) -> Any:
    """The real command: from its module's `app`, by its name, or the whole `app` where it is a group."""
    gc.disable()  # what is imported stays: to look for garbage in it again and again is a tenth of the time
    try:
        module = import_module(lazy.module)
    finally:
        gc.enable()
    command = typer.main.get_command(module.app)
    inner = getattr(command, "commands", {}).get(name, command)
    inner.name = name
    return inner
