"""`python -m bot.sim.nursery FD`: where simulated phones are born.

Each phone is a process of its own, but not a Python of its own: reading its modules takes a second of a
core, and a test of handovers wants seventy of them. So one process reads them once, and every phone is a
fork of it. It has no thread and no loop, so a fork of it is whole.

    parent ── one byte and a socket ──► nursery ──► fork: the phone lives on that socket
           ◄── its pid ────────────────

The nursery ends with its parent, whose end of the socket is closed then; a phone with its own.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import struct
import subprocess
import sys
import threading

from bot.core.realtime import behind_the_helpers, unless_restless

ASK = b"\1"
_PID = struct.Struct("!i")
_FAREWELL_S = 5.0


class Nursery:
    """The parent's side; one is enough for a process, whatever loops come and go in it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None

    def bear(self, line: socket.socket) -> int:
        """A new phone at the other end of `line`; its process id. It blocks for as long as a fork takes, the
        first time as long as a Python takes to start. Raises OSError."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._open()
            assert self._line is not None
            socket.send_fds(self._line, [ASK], [line.fileno()])
            told = self._line.recv(_PID.size)
            if len(told) < _PID.size:
                raise ConnectionResetError("the process that makes phones has ended")
            pid: int = _PID.unpack(told)[0]
            return pid

    def _open(self) -> None:
        self.close()
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # In a session of its own, so that Ctrl-C reaches the parent alone.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot.sim.nursery", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                # Nothing in a phone multiplies matrices, and whoever forks has no threads.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )

    def close(self) -> None:
        """Phones that live go on living. Idempotent."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            try:
                self._process.wait(_FAREWELL_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._line = self._process = None


NURSERY = Nursery()
atexit.register(NURSERY.close)


def _serve(line: socket.socket) -> None:
    """Forks until the parent has gone."""
    from bot.sim import peer

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a phone: its end is that of its socket
    while True:
        asked, fds, _, _ = socket.recv_fds(line, len(ASK), 1)
        if not asked:
            return
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            line.close()
            # A telephone is a device of its own: where it waits for the node that it calls, it sends a torn
            # voice (beside 28 calls every sixth packet left 60 ms late), and the node understands nothing.
            if behind_the_helpers():
                unless_restless()
            peer.live(socket.socket(fileno=fds[0]))
            return
        os.close(fds[0])
        line.send(_PID.pack(pid))


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
