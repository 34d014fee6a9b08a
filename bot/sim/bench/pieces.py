"""The recorded pieces from which callers' turns are composed: a folder of WAV files and `manifest.tsv`."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bot.core.errors import AudioInvalid, Place
from bot.sim.g711 import Samples
from bot.sim.sounds import read_clip

MANIFEST = "manifest.tsv"
_COLUMNS = 6


class Role(StrEnum):
    """What a piece can stand for in a turn."""

    VALUE = "value"  # a whole answer on a scale from 0 to 10
    YES_NO = "yes_no"
    OPEN = "open"
    HESITATION = "hesitation"  # said before there is an answer
    HEAD = "head"  # the first half of a clause, without a value
    TAIL = "tail"  # its second half, which brings the value
    OPEN_HEAD = "open_head"
    OPEN_TAIL = "open_tail"


@dataclass(frozen=True, slots=True)
class Piece:
    """One file. `value` is what it answers ("" where it answers nothing); halves share `joins`."""

    file: Path
    voice: str
    role: Role
    value: str
    text: str
    joins: str = ""

    def sound(self) -> Samples:
        """8 kHz. Raises AudioInvalid."""
        return read_clip(self.file)


def read_pieces(folder: Path) -> tuple[Piece, ...]:
    """Every piece of a folder, in its manifest's order. Raises AudioInvalid with the line that is wrong."""
    manifest = folder / MANIFEST
    try:
        lines = manifest.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AudioInvalid(
            f"{manifest}: нет списка записей для звонящих: {error}",
            hint="--audio ПАПКА: такая, как tests/data/audio/turns",
        ) from error
    pieces = [
        _piece(row, manifest, number)
        for number, row in enumerate(csv.reader(lines, delimiter="\t"), start=1)
        if row and not row[0].startswith("#")
    ]
    _complete(pieces, manifest)
    return tuple(pieces)


def _piece(row: list[str], manifest: Path, number: int) -> Piece:
    place = Place(str(manifest), number)
    if len(row) != _COLUMNS:
        raise AudioInvalid(
            f"столбцов {len(row)}, а нужно {_COLUMNS}: file, voice, role, value, text, joins", place=place
        )
    file, voice, role, value, text, joins = row
    if role not in set(Role):
        raise AudioInvalid(f"роль «{role}»; бывает {', '.join(Role)}", place=place)
    if not (manifest.parent / file).is_file():
        raise AudioInvalid(f"файла {file} нет в папке", place=place)
    return Piece(manifest.parent / file, voice, Role(role), value, text, joins)


def _complete(pieces: Sequence[Piece], manifest: Path) -> None:
    """Each voice can say a turn of every kind."""
    for voice in dict.fromkeys(piece.voice for piece in pieces):
        roles = {piece.role for piece in pieces if piece.voice == voice}
        if missing := [role.value for role in Role if role not in roles]:
            raise AudioInvalid(f"{manifest}: у голоса {voice} нет записей с ролью {', '.join(missing)}")
        values = {piece.value for piece in pieces if piece.voice == voice and piece.role is Role.YES_NO}
        if values != {"yes", "no"}:
            raise AudioInvalid(f"{manifest}: голосу {voice} нужны и «да» (yes), и «нет» (no)")
    if not pieces:
        raise AudioInvalid(f"{manifest}: список пуст")
