"""Time zones by their IANA names."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator


def known_zone(name: str) -> str:
    """The name itself. Raises ValueError where there is no such zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"часового пояса «{name}» нет; нужен такой, как Europe/Moscow") from error
    return name


Zone = Annotated[str, AfterValidator(known_zone)]
