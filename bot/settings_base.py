"""What every section of the settings is built of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


def by_commas(value: object) -> object:
    """In the environment a list is words with commas: OTKLIK_SIP__CODECS=PCMA,G722."""
    return (
        tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value
    )


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def port_range(value: str) -> str:
    low, dash, high = value.replace(" ", "").partition("-")
    if not dash or not low.isdigit() or not high.isdigit() or not 1024 <= int(low) < int(high) <= 65535:
        raise ValueError("нужен диапазон портов от 1024 до 65535, например 30000-30999")
    return f"{low}-{high}"
