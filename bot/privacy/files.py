"""What lies in files of a call: its sound, and its events in the spool that was drained already.

Only this machine's: what another node keeps of the same calls, that node's keeper finds (`sweep`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path

from sqlalchemy import update
from sqlmodel import col, select

from bot.call.recording_files import hold_with_others, recording_at
from bot.call.spool import DAMAGED, SUFFIX
from bot.call.spool_rewriting import Undrained, rewrite_spool
from bot.core.errors import StoreUnavailable
from bot.core.events import CallEvent
from bot.privacy.events import without
from bot.privacy.resealing import passing_file
from bot.store.database import Database
from bot.store.pieces import pieces
from bot.store.tables import Attempt, AttemptStatus, SpoolOffset
from bot.store.tables_contacts import ConsentRow
from bot.store.tables_privacy import Erased
from bot.words import words

_PIECE = 200


class CallFiles:
    """The files of one node."""

    def __init__(self, recordings: Path, spool: Path) -> None:
        self._recordings = recordings
        self._spool = spool

    def recorded(self, names: Collection[str]) -> list[Path]:
        """Those of these recordings that are here."""
        found = (recording_at(self._recordings, name) for name in names)
        return [file for file in found if file is not None]

    async def erase(self, db: Database, calls: Collection[str], names: Collection[str]) -> Counter[str]:
        """Raises StoreUnavailable where a file cannot be removed, or where the spool holds events of these
        calls that are not in the database yet."""
        wanted = set(calls)

        def change(event: CallEvent) -> CallEvent:
            return without(event, Erased.PERSON) if event.call_id in wanted else event

        counts: Counter[str] = Counter()
        counts["spooled_events"] = await self._rewrite(db, change)
        counts["recordings"] = await asyncio.to_thread(self.remove, names)
        return counts

    async def sweep(self, db: Database, older: datetime | None, *, dry: bool = False) -> int:
        """Remove recordings that may not be here: of erased calls, and where `older` is given those that
        ended before it, unless they prove a consent. How many; with `dry` they stay. Raises
        StoreUnavailable."""
        removed = 0
        ended = await asyncio.to_thread(self._ended)
        for piece in pieces(sorted(ended), _PIECE):
            stays = await _may_stay(db, piece)
            old = [
                name
                for name in piece
                if older is not None
                and name not in stays.proof
                and ended[name] < older.timestamp()
                and name not in stays.going_on
            ]
            gone = sorted({name for name in piece if name in stays.erased}.union(old))
            if dry:
                removed += len(gone)
                continue
            removed += await asyncio.to_thread(self.remove, gone)
            if gone:
                async with db.write() as session:
                    named = col(Attempt.recording).in_(gone)
                    await session.exec(update(Attempt).where(named).values(recording=""))
        return removed

    async def forget_damaged(self, older: datetime, *, dry: bool = False) -> int:
        """Remove spool segments with damaged lines that were put aside before this moment; how many."""
        return await asyncio.to_thread(self._forget_damaged, older.timestamp(), dry)

    def _forget_damaged(self, older: float, dry: bool) -> int:
        aside = [path for path in self._spool.glob(f"*{SUFFIX}{DAMAGED}") if _ended(path) < older]
        for path in aside if not dry else ():
            path.unlink(missing_ok=True)
        return len(aside)

    async def _rewrite(self, db: Database, change: Callable[[CallEvent], CallEvent]) -> int:
        async with db.read() as session:
            offsets = {row.segment: row.end for row in (await session.exec(select(SpoolOffset))).all()}
        try:
            return await asyncio.to_thread(rewrite_spool, self._spool, offsets, change)
        except Undrained as error:
            raise StoreUnavailable(
                words(f"в {error} есть события, которых ещё нет в базе", f"{error} is not drained yet"),
                hint=words(
                    "узел допишет их за секунды; если он стоит, запустите его и повторите",
                    "a running node does it within seconds: start one, and repeat",
                ),
            ) from error

    def _ended(self) -> dict[str, float]:
        """When each recording was last written to. Blocks."""
        return {file.name: _ended(file) for file in self._recordings.glob("*.wav") if not file.is_symlink()}

    def remove(self, names: Collection[str]) -> int:
        """How many were there. Blocks. Raises StoreUnavailable."""
        removed = 0
        for file in self.recorded(names):
            try:
                # Whoever re-encrypts it puts another in its place: not after it is gone.
                with file.open("rb") as held:
                    hold_with_others(held.fileno())
                    passing_file(file).unlink(missing_ok=True)
                    file.unlink(missing_ok=True)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StoreUnavailable(
                    words(f"запись {file} не удаляется: {error.strerror}", f"{file} cannot be removed"),
                    hint=words("дайте права на эту папку", "give this user the right to write there"),
                ) from error
            removed += 1
        return removed


class _Stays:
    def __init__(self, erased: set[str], proof: set[str], going_on: set[str]) -> None:
        self.erased, self.proof, self.going_on = erased, proof, going_on


async def _may_stay(db: Database, names: Collection[str]) -> _Stays:
    """Of these recordings: whose call was erased, which prove a consent, which are being made."""
    calls = [Path(name).stem for name in names]
    async with db.read() as session:
        rows = (
            await session.exec(
                select(Attempt.call_id, Attempt.erased, Attempt.status).where(col(Attempt.call_id).in_(calls))
            )
        ).all()
        proof = await session.exec(select(ConsentRow.recording).where(col(ConsentRow.recording).in_(names)))
        return _Stays(
            {f"{call_id}.wav" for call_id, erased, _ in rows if erased >= Erased.PERSON},
            set(proof.all()),
            {f"{call_id}.wav" for call_id, _, status in rows if status != AttemptStatus.FINAL},
        )


def _ended(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
