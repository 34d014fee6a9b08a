"""Which texts can be kept at all. Pure."""

from __future__ import annotations

import re

_UNKEPT = re.compile("[\0\ud800-\udfff]")
"""PostgreSQL keeps no NUL in a text (its manual, 8.3), and half a surrogate pair has no UTF-8."""


def can_be_kept(given: object) -> bool:
    """Whether every text in it, at whatever depth of lists and objects, is one that each database takes.

    >>> can_be_kept({"name": "Анна"}), can_be_kept(["a\\0b"])
    (True, False)
    """
    left = [given]
    while left:
        each = left.pop()
        if isinstance(each, str):
            if _UNKEPT.search(each):
                return False
        elif isinstance(each, dict):
            left += (*each, *each.values())
        elif isinstance(each, list | tuple):
            left += each
    return True
