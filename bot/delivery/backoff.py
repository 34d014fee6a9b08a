"""When a message that was not taken is tried again: pure; the random number comes in from outside."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """`first_s` seconds after the first try, `factor` times as long after each further one, `longest_s`
    at most; each time a `jitter` share more or less, so that what failed together does not come back
    together. After `tries` tries it is given up: by the defaults in 1.4 days.

    >>> [round(Backoff().wait_s(tries, 0.5)) for tries in (1, 2, 3, 4, 5, 6, 7, 8)]
    [5, 20, 80, 320, 1280, 5120, 20480, 21600]
    """

    first_s: float = 5.0
    factor: float = 4.0
    longest_s: float = 6 * 3600.0
    jitter: float = 0.2
    tries: int = 12

    def wait_s(self, tries: int, chance: float) -> float:
        """Seconds to wait after so many tries; `chance` is from 0 to 1."""
        # Capped before it is raised to a power: nobody needs a number of a thousand digits.
        wait = self.first_s
        for _ in range(tries - 1):
            wait = min(self.longest_s, wait * self.factor)
        return wait * (1 + self.jitter * (2 * chance - 1))

    def next_s(self, tries: int, chance: float, retry_after_s: float | None = None) -> float | None:
        """Seconds to the next try, not before the receiver asked for it (`Retry-After`, a day at most);
        None where it is given up."""
        if tries >= self.tries:
            return None
        asked = min(retry_after_s or 0.0, 24 * 3600.0)
        return max(self.wait_s(tries, chance), asked)
