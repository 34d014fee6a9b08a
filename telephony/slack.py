"""What a buffer holds and never needs. Pure."""

from __future__ import annotations

_WINDOW = 100
"""Frame times (2 s) in which a buffer shows how much of it is needed."""


class Slack:
    """The least that was waiting, at the moment when least is, over the last whole window."""

    def __init__(self, window: int = _WINDOW) -> None:
        self._window = window
        self._seen = 0
        self._least_now = 0
        self.least = 0

    def see(self, waiting: int) -> None:
        self._least_now = min(self._least_now, waiting) if self._seen else waiting
        self._seen += 1
        if self._seen == self._window:
            self.least = self._least_now
            self._seen = 0

    def taken(self) -> None:
        """Some of it was dropped: what is left has yet to show how much of it is needed."""
        self._seen = self.least = 0
