"""What this room needs to know. Composed elsewhere; nothing here reads a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

USER_TO_USER = "User-to-User"
ASSERTED_IDENTITY = "P-Asserted-Identity"


@dataclass(frozen=True, slots=True)
class Route:
    """What a called number stands for; every field but `survey` may be empty. With a `language` the
    survey's own variant in it is asked (`nps` in `en` is `nps_en`)."""

    survey: str
    department: str = ""
    agent: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class HeaderNames:
    """The INVITE headers in which a PBX says something; "" where it does not. `token` is that of an
    announcement."""

    agent: str = "X-Agent-Id"
    department: str = "X-Department"
    conversation_id: str = "X-Conversation-Id"
    customer_id: str = "X-Customer-Id"
    customer_name: str = "X-Customer-Name"
    customer_phone: str = "X-Customer-Phone"
    token: str = "X-Announcement"  # noqa: S105  a header's name


@dataclass(frozen=True, slots=True)
class InboundSettings:
    """`routes` by called number; a key may end in `*`. `default_survey` is for every other number; ""
    where such a call is refused."""

    routes: Mapping[str, Route] = field(default_factory=dict)
    default_survey: str = ""
    headers: HeaderNames = HeaderNames()
