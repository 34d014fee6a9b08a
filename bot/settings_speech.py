"""The section of the settings about hearing and speaking: models, engines, voices."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import NoDecode

from bot.settings_base import Section, by_commas


class SpeechSection(Section):
    language: Literal["ru"] = Field("ru", description="язык разговоров: ru")
    model: str = Field(
        "", description="модель распознавания русского; пусто: выбранная otklik models use, иначе учебная"
    )
    models: dict[str, str] = Field({}, description='модели других языков: en = "vosk-model-small-en-us-0.15"')
    survey_models: dict[str, str] = Field(
        {}, description='модели отдельных опросов: nps = "vosk-model-ru-0.42"'
    )
    threads: int = Field(2, ge=1, le=64, description="потоков распознавания, от 1 до 64")
    grammar: bool = Field(
        False, description="слушать закрытые вопросы словами их ответов, где модель это умеет: true или false"
    )
    engine: Literal["auto", "espeak", "silero", "rhvoice"] = Field(
        "auto", description="синтез: auto (Silero, если её модель установлена), espeak, silero, rhvoice"
    )
    voice: str = Field(
        "",
        description="голос: у eSpeak ru, ru+f3; у Silero ru_zhadyra; у RHVoice elena; пусто: по умолчанию",
    )
    voices: dict[str, str] = Field(
        {}, description='голоса Silero по языкам: ru = "v5_cis_base"; пусто: выбранные otklik models use'
    )
    proxy: str = Field(
        "", description="прокси для otklik models fetch, вида http://узел:3128; пусто: HTTPS_PROXY"
    )
    mirrors: Annotated[tuple[str, ...], NoDecode, BeforeValidator(by_commas)] = Field(
        (), description="адреса папок с файлами моделей, которые спрашивать прежде издателя"
    )

    @field_validator("proxy", "mirrors")
    @classmethod
    def _over_http(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for address in (value,) if isinstance(value, str) else value:
            if address and not re.match(r"https?://[^/\s]+", address):
                raise ValueError("нужен адрес, который начинается с http:// или https://")
        return value
