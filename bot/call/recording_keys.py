"""The keys of recordings, in a file of their own: outside the database, the backups and the recordings.

Written with is the last one; the others open what was written before. The file is read anew for each
recording, so that a key that is changed counts from the next call on.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from bot.call.sealed import Key
from bot.core.errors import RecordingsLocked
from bot.core.files import write_whole
from bot.words import words

_FOREIGN = 0o077
"""Rights of others, of which a file of keys has none."""


class KeyEntry(BaseModel):
    """`secret` is 32 bytes in base64."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    id: str = Field(pattern=r"^[0-9a-f]{16}$")
    made_at: AwareDatetime
    secret: str = Field(repr=False)

    @field_validator("secret")
    @classmethod
    def _of_256_bits(cls, value: str) -> str:
        try:
            given = base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise ValueError("not base64") from error
        if len(given) != 32:
            raise ValueError("not 32 bytes")
        return value

    def key(self) -> Key:
        return Key(self.id, base64.b64decode(self.secret))


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    keys: tuple[KeyEntry, ...]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys, oldest first."""

    file: Path
    entries: tuple[KeyEntry, ...]

    @classmethod
    def read(cls, file: Path) -> KeyRing:
        """Blocks. Raises RecordingsLocked where it is not there, others may read it, or it is damaged."""
        try:
            if file.stat().st_mode & _FOREIGN:
                raise RecordingsLocked(
                    words(f"ключи записей {file} может прочесть другой", f"others may read the keys {file}"),
                    hint=f"chmod 600 {file}",
                )
            kept = _Kept.model_validate_json(file.read_bytes())
        except FileNotFoundError as error:
            raise RecordingsLocked(
                words(f"нет файла ключей записей: {file}", f"no file of keys for recordings: {file}"),
                hint=words(
                    "верните его; если его ещё не было — otklik recordings key new",
                    "bring it back; where there was none yet: otklik recordings key new",
                ),
            ) from error
        except (OSError, ValidationError) as error:
            raise RecordingsLocked(
                words(f"файл ключей записей {file} не читается", f"the file of keys {file} cannot be read"),
                hint=words("верните его из своей копии", "bring it back from your copy"),
            ) from error
        return cls(file, kept.keys)

    @property
    def newest(self) -> Key:
        """What recordings are written with. Raises RecordingsLocked where there is none."""
        if not self.entries:
            raise RecordingsLocked(
                words(f"в {self.file} нет ни одного ключа", f"{self.file} has no key"),
                hint="otklik recordings key new",
            )
        return self.entries[-1].key()

    def find(self, key_id: str) -> Key:
        """Raises RecordingsLocked."""
        for entry in self.entries:
            if entry.id == key_id:
                return entry.key()
        raise RecordingsLocked(
            words(f"нет ключа {key_id}, которым закрыта запись", f"the recording's key {key_id} is missing"),
            hint=words(f"верните его в {self.file}", f"bring it back into {self.file}"),
        )

    def with_new(self, now: datetime) -> KeyRing:
        """And one more, which counts from now on."""
        secret = base64.b64encode(secrets.token_bytes(32)).decode()
        entry = KeyEntry(id=secrets.token_hex(8), made_at=now.astimezone(UTC), secret=secret)
        return KeyRing(self.file, (*self.entries, entry))

    def without(self, key_id: str) -> KeyRing:
        """Raises RecordingsLocked where it has no such key."""
        self.find(key_id)
        return KeyRing(self.file, tuple(entry for entry in self.entries if entry.id != key_id))

    def save(self) -> None:
        """Whole or not at all, for its owner alone. Blocks. Raises OSError."""
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(self.file, _Kept(keys=self.entries).model_dump_json(indent=1).encode() + b"\n")
