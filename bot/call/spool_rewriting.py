"""Events that a spool still holds after they were drained, rewritten in place: of calls that were erased.

A segment stays until its worker is done with it, and a damaged one for longer. A drained line is read by
nobody any more, so that another worker may go on writing behind it while it is overwritten: by the same event
without its words, as many bytes long (JSON may end in spaces), so that every place in the file stays true.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from bot.call.spool import DAMAGED, SUFFIX, framed
from bot.core.events import CallEvent, call_event

Change = Callable[[CallEvent], CallEvent]
"""The event as it may be kept; the same object where nothing changes."""


class Undrained(Exception):
    """A segment holds an event that would have to be changed and is not in the database yet."""


def rewrite_spool(folder: Path, offsets: Mapping[str, int], change: Change) -> int:
    """How many lines were rewritten. `offsets` say how far each segment is drained; what is damaged counts
    as drained. Blocks. Raises Undrained before anything is written, OSError."""
    found: list[tuple[Path, int, bytes]] = []
    for path in sorted([*folder.glob(f"*{SUFFIX}"), *folder.glob(f"*{SUFFIX}{DAMAGED}")]):
        drained = offsets.get(path.name, 0) if path.suffix == SUFFIX else path.stat().st_size
        place = 0
        with path.open("rb") as file:
            for line in file:
                if fresh := _changed(line, change):
                    if place >= drained:
                        raise Undrained(path.name)
                    found.append((path, place, fresh))
                place += len(line)
    for path, place, fresh in found:
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(handle, fresh, place)
            os.fdatasync(handle)
        finally:
            os.close(handle)
    return len(found)


def _changed(line: bytes, change: Change) -> bytes | None:
    """The line that takes this one's place; None where it may stay. One that cannot be read goes whole."""
    _, _, body = line.rstrip(b"\n").partition(b" ")
    if not body:
        return None
    try:
        event = call_event.validate_json(body)
    except ValueError:
        return None
    changed = change(event)
    if changed is event:
        return None
    fresh = call_event.dump_json(changed).ljust(len(body))
    if len(fresh) > len(body):  # a number gives way to a longer null: nothing of the event is kept
        return b" " * (len(line) - 1) + b"\n"
    return framed(fresh)
