"""The control socket of a node: JSON lines over a unix socket, both ways.

A request is `{"id": 1, "do": "place_call", ...parameters}`; its reply has the same `id` and either
`"ok"` (an object) or `"error"` (`code`, `message`, `hint`, as in `bot.core.errors`). Requests of one
connection run side by side, so replies may come in another order. After `watch` the node also
sends `{"event": <CallEvent>}` lines for every call.

Client and server stand in one file because they must agree.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Self

import structlog

from bot.core.errors import BadInput, NodeUnavailable, OtklikError, PortInUse, Unavailable
from bot.core.events import CallEvent, call_event

log = structlog.get_logger()

LINE_LIMIT = 8 * 2**20
"""Longest line in bytes that is accepted: `calls` may answer with many calls at once."""

WATCHER_BACKLOG = 8 * 2**20
"""Unsent bytes after which a watcher that does not read is cut off, so that it cannot fill our memory."""

_EVENT = b'{"event": '

Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Gets the request's parameters (without `id` and `do`), gives the `ok` object; raises OtklikError."""


_undone_with: ContextVar[list[Callable[[], None]]] = ContextVar("what is undone with the connection")


def undo_with_the_connection(undo: Callable[[], None]) -> None:
    """From within a handler: `undo` is called when the connection on which the order came is over, however
    its other end came to go. Raises BadInput where the order came from within this process."""
    try:
        _undone_with.get().append(undo)
    except LookupError as error:
        raise BadInput(
            "there is no connection that this could last for", hint="give the order on the control socket"
        ) from error


def _families(root: type[OtklikError]) -> Iterator[type[OtklikError]]:
    yield root
    for child in root.__subclasses__():
        yield from _families(child)


def error_from_wire(code: str, message: str, hint: str) -> OtklikError:
    """The error that the node reported: its own class where that needs no more than the message."""
    for root in (BadInput, Unavailable):
        for kind in _families(root):
            if kind.code == code:
                return kind(message, hint=hint)
    return OtklikError(message, hint=hint)


class ControlClient:
    """A connection to a running node. One `events()` consumer a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: Path) -> None:
        self._reader, self._writer, self._path = reader, writer, path
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._events: asyncio.Queue[CallEvent | None] = asyncio.Queue()
        self._watching = False
        self._gone = False
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, path: Path) -> Self:
        """Raises NodeUnavailable."""
        try:
            reader, writer = await asyncio.open_unix_connection(path, limit=LINE_LIMIT)
        except OSError as error:
            raise NodeUnavailable(f"no node answers on {path}", hint="start otklik serve") from error
        return cls(reader, writer, path)

    async def request(self, do: str, **params: Any) -> dict[str, Any]:
        """The reply's `ok`. Raises what the node reports (`error_from_wire`), or NodeUnavailable."""
        if self._gone:
            raise self._lost()
        number = next(self._ids)
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        line = json.dumps({**params, "id": number, "do": do}, ensure_ascii=False)
        try:
            self._writer.write(line.encode() + b"\n")
            await self._writer.drain()
            return await reply
        except ConnectionError as error:
            raise self._lost() from error
        finally:
            self._waiting.pop(number, None)

    async def watch(self) -> None:
        """From the return of this on, `events()` misses nothing. Idempotent."""
        if not self._watching:
            await self.request("watch")
            self._watching = True

    async def events(self) -> AsyncIterator[CallEvent]:
        """Every call's events since `watch()` (called here if it was not); ends with the connection."""
        await self.watch()
        while (event := await self._events.get()) is not None:
            yield event

    @property
    def gone(self) -> bool:
        """Whether the connection is over: every request from now on is refused."""
        return self._gone

    async def close(self) -> None:
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _lost(self) -> NodeUnavailable:
        return NodeUnavailable(f"the node on {self._path} went away", hint="start otklik serve")

    async def _read(self) -> None:
        try:
            async for line in self._reader:
                if line.startswith(_EVENT):  # most lines are: its JSON is read once
                    self._events.put_nowait(call_event.validate_json(line.rstrip()[len(_EVENT) : -1]))
                else:
                    self._take(json.loads(line))
        except ConnectionError as error:
            log.info("control connection lost", reason=str(error))
        finally:
            self._gone = True
            for reply in self._waiting.values():
                if not reply.done():
                    reply.set_exception(self._lost())
            self._events.put_nowait(None)

    def _take(self, message: dict[str, Any]) -> None:
        reply = self._waiting.get(message.get("id") or 0)
        if reply is None or reply.done():
            log.warning("control reply nobody waits for", id=message.get("id"))
        elif "error" in message:
            error = message["error"]
            reply.set_exception(error_from_wire(error["code"], error["message"], error.get("hint", "")))
        else:
            reply.set_result(message["ok"])


class ControlServer:
    """The node's side: named handlers and a broadcast of events. Only the owner may connect (0600)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handlers: dict[str, Handler] = {}
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}
        self._watchers: set[asyncio.StreamWriter] = set()

    def register(self, name: str, handler: Handler) -> None:
        """`watch` is built in; every other `do` is registered here."""
        self._handlers[name] = handler

    async def ask(self, do: str, **params: Any) -> dict[str, Any]:
        """The same order, given from within this process. Raises what its handler raises."""
        return await self._handler(do)(params)

    async def start(self) -> None:
        """Raises PortInUse where another node already listens there."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            await self._clear_stale()
        # The umask makes the socket private from its first moment: a chmod afterwards leaves a gap.
        previous = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, self.path, limit=LINE_LIMIT)
        except OSError as error:
            raise PortInUse(
                f"cannot listen on {self.path}: {error}",
                hint="give the node a folder it may write to, with a path shorter than 100 characters",
            ) from error
        finally:
            os.umask(previous)

    def broadcast(self, event: CallEvent) -> None:
        """Send an event to every watcher; never waits."""
        if not self._watchers:
            return
        line = _EVENT + call_event.dump_json(event) + b"}\n"
        for writer in tuple(self._watchers):
            if writer.transport.get_write_buffer_size() > WATCHER_BACKLOG:
                log.warning("control watcher does not read, cut off")
                self._watchers.discard(writer)
                writer.transport.abort()
            else:
                writer.write(line)

    async def close(self) -> None:
        """Stop listening, end every connection, remove the socket."""
        if self._server is None:
            return
        self._server.close()
        tasks = tuple(self._connections.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None
        self.path.unlink(missing_ok=True)

    async def _clear_stale(self) -> None:
        try:
            _, writer = await asyncio.open_unix_connection(self.path)
        except OSError:
            self.path.unlink()  # left behind by a node that was killed
            return
        writer.close()
        await writer.wait_closed()
        raise PortInUse(f"another node listens on {self.path}", hint="stop it, or use another folder")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[writer] = task
        requests: set[asyncio.Task[None]] = set()
        undone: list[Callable[[], None]] = []
        _undone_with.set(undone)  # the tasks of its requests inherit it
        try:
            async for line in reader:
                request = asyncio.create_task(self._answer(line, writer))
                requests.add(request)
                request.add_done_callback(requests.discard)
        except (ConnectionError, ValueError) as error:  # ValueError: a line over the limit
            log.info("control connection dropped", reason=str(error))
        except asyncio.CancelledError:
            # Ours: the server closes. asyncio's own wrapper of this task would log it as an error.
            log.debug("control connection closed")
        finally:
            for request in requests:
                request.cancel()
            for undo in reversed(undone):
                undo()
            self._watchers.discard(writer)
            del self._connections[writer]
            writer.close()

    async def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        number: Any = None
        try:
            number, do, params = _parse(line)
            if do == "watch":
                self._watchers.add(writer)
                reply: dict[str, Any] = {"id": number, "ok": {}}
            else:
                reply = {"id": number, "ok": await self._handler(do)(params)}
        except OtklikError as error:
            reply = _error(number, error.code, error.message, error.hint)
        except Exception as error:
            log.exception("control request failed")
            reply = _error(number, "error", f"{type(error).__name__}: {error}", "see the node's log")
        if not writer.is_closing():
            writer.write(json.dumps(reply, ensure_ascii=False).encode() + b"\n")

    def _handler(self, do: str) -> Handler:
        if do not in self._handlers:
            known = ", ".join(sorted([*self._handlers, "watch"]))
            raise BadInput(f"the node knows no request «{do}»", hint=f"it knows: {known}")
        return self._handlers[do]


def _parse(line: bytes) -> tuple[Any, str, dict[str, Any]]:
    try:
        message = json.loads(line)
    except ValueError as error:
        raise BadInput(f"not a line of JSON: {error}") from error
    if not isinstance(message, dict) or not isinstance(message.get("do"), str):
        raise BadInput("a request is an object with «do»", hint='{"id": 1, "do": "status"}')
    return message.pop("id", None), message.pop("do"), message


def _error(number: Any, code: str, message: str, hint: str) -> dict[str, Any]:
    return {"id": number, "error": {"code": code, "message": message, "hint": hint}}
