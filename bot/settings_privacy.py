"""For how long each kind of personal data is kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from bot.settings_base import Section

Days = Annotated[int, Field(ge=0, le=36500)]


class KeepSection(Section):
    """In days; 0: for ever."""

    recordings: Days = Field(90, description="сколько дней хранить записи разговоров; 0: всегда")
    words: Days = Field(
        180, description="сколько дней хранить слова разговоров: расшифровки, события, заметки; 0: всегда"
    )
    answers: Days = Field(
        1095, description="через сколько дней обезличить звонки: оценки остаются в отчётах; 0: никогда"
    )
    contacts: Days = Field(
        1095, description="сколько дней хранить клиента после последнего звонка или загрузки; 0: всегда"
    )
    deliveries: Days = Field(
        30, description="сколько дней хранить журнал вебхуков, писем и просьб API; 0: всегда"
    )
    audit: Days = Field(1095, description="сколько дней хранить журнал действий; 0: всегда")
    files: Days = Field(30, description="сколько дней хранить испорченные журналы событий узла; 0: всегда")


class PrivacySection(Section):
    """Personal data."""

    keep: KeepSection = Field(KeepSection(), description="сроки хранения в днях")
    recording_keys: str = Field(
        "",
        description="файл с ключами, которыми шифруются записи разговоров, лучше на другом диске; "
        "пусто: не шифровать",
    )

    @model_validator(mode="after")
    def _words_before_people(self) -> PrivacySection:
        keep = self.keep
        if keep.answers and (not keep.words or keep.words > keep.answers):
            raise ValueError("keep.words не может быть дольше keep.answers: обезличенный звонок уже без слов")
        return self
