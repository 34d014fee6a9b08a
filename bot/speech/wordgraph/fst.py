"""Graphs through OpenFst's programs: read, written, determinised.

Debian: libfst-tools and libfst22-plugins-base. Each is a process of its own: a library that binds OpenFst
hung in one process with Vosk.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from bot.core.errors import Unavailable
from bot.words import words

INSTALL = "sudo apt-get install --no-install-recommends libfst-tools libfst22-plugins-base"


class Arc(NamedTuple):
    """Of a graph: `input` are transition ids (2p - 1 stays in phone p, 2p enters it), `output` words."""

    source: int
    target: int
    input: int
    output: int
    cost: float


class Graph(NamedTuple):
    arcs: list[Arc]
    finals: dict[int, float]


def fst(*command: str) -> str:
    """Runs one of OpenFst's programs. Raises Unavailable where they are not installed or refuse."""
    try:
        done = subprocess.run(command, env=_environment(), check=True, capture_output=True, text=True)
    except FileNotFoundError as exc:
        raise Unavailable(
            words(f"нет программы {command[0]}", f"no program {command[0]}"), hint=INSTALL
        ) from exc
    except subprocess.CalledProcessError as exc:
        raise Unavailable(f"{command[0]}: {exc.stderr.strip()}", hint=INSTALL) from exc
    return done.stdout


def _environment() -> dict[str, str]:
    """Debian keeps the plug-in of look-ahead graphs in a folder that the loader does not search."""
    folders = [str(path) for path in sorted(Path("/usr/lib").glob("*/fst/*"))]
    known = os.environ.get("LD_LIBRARY_PATH")
    return {**os.environ, "LD_LIBRARY_PATH": ":".join([*folders, *([known] if known else [])])}


def read_graph(file: Path) -> Graph:
    arcs, finals = [], {}
    for line in fst("fstprint", str(file)).splitlines():
        fields = line.split()
        if len(fields) <= 2:
            finals[int(fields[0])] = float(fields[1]) if len(fields) == 2 else 0.0
        else:
            source, target, input_, output = map(int, fields[:4])
            arcs.append(Arc(source, target, input_, output, float(fields[4]) if len(fields) == 5 else 0.0))
    return Graph(arcs, finals)


def write_graph(graph: Graph, start: int, file: Path) -> None:
    """The first state named is the start."""
    arcs = sorted(graph.arcs, key=lambda arc: arc.source != start)
    lines = [f"{a.source} {a.target} {a.input} {a.output} {a.cost:.9g}" for a in arcs]
    lines += [f"{state} {cost:.9g}" for state, cost in graph.finals.items()]
    source = file.with_suffix(".txt")
    source.write_text("\n".join(lines) + "\n")
    fst("fstcompile", str(source), str(file))
    source.unlink()


def read_table(file: Path) -> dict[str, int]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return {name: int(number) for name, number in map(str.split, lines)}
