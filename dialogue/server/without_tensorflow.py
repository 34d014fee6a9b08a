"""Rasa without TensorFlow: no part of our model is of it, and it was most of Rasa's start, of its memory and
of its environment (1.9 of 2.6 GB).

Rasa imports all components that it knows, those of TensorFlow as well, to choose from them by name. They
find here what lets their modules be read (names to inherit from, to annotate and to decorate with) and
nothing that works: a model which asks for one of them is refused with the reason. Where TensorFlow is
installed all the same, it is what is found.
Runs in Rasa's environment (Python 3.10), before Rasa is imported.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Any

ABSENT = frozenset(("tensorflow", "tensorflow_hub", "tensorflow_text", "keras"))
"""What dialogue/pyproject.toml leaves out, and Rasa imports."""


class TensorFlowIsAbsent(RuntimeError):
    """A component of TensorFlow was asked to work."""


def _looked_up(_: Any, name: str) -> Any:
    """Of a package or of a name in it, whatever it be; what Python itself asks for is not there."""
    if name.startswith("__"):
        raise AttributeError(name)
    return Absent


class _Names(type):
    """Of a class whose every attribute is that class."""

    __getattr__ = _looked_up


class Absent(metaclass=_Names):
    """Whatever is looked up in these packages: a class to inherit from, a name in an annotation."""

    def __new__(cls, *_: Any, **__: Any) -> Any:
        if cls is Absent:
            return Absent  # `tf.function(...)`, around a method: that is absent then, too
        raise TensorFlowIsAbsent(
            f"{cls.__module__}.{cls.__qualname__} needs TensorFlow, which is not installed: name another"
            " component in dialogue/config.yml, or take its packages out of `override-dependencies` in"
            " dialogue/pyproject.toml"
        )


class _Module(ModuleType):
    __getattr__ = _looked_up


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] not in ABSENT:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass  # there is nothing in it


def do_without_tensorflow() -> None:
    """Give names that stand for nothing where one of its packages is imported and not installed."""
    sys.meta_path.append(_Finder())
