"""Sound files, any format that libsndfile reads, as what the recogniser takes."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import soundfile

from bot.core.audio import Pcm
from bot.core.errors import AudioInvalid, DiskFull, Place
from bot.core.files import write_whole
from bot.speech.sound import resample, to_pcm
from bot.words import words

_NARROW, _WIDE = 8000, 16000


def read_audio(path: Path) -> Pcm:
    """The file as one channel at 8000 (from up to 8 kHz) or 16000 samples a second.

    Raises AudioInvalid for what is missing, unreadable, cut short or not sound.
    """
    try:
        with soundfile.SoundFile(path) as file:
            promised, rate = file.frames, file.samplerate
            samples = file.read(dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as exc:
        # libsndfile says "System error." for a file that is not there
        reason = str(exc) if path.is_file() else words("такого файла нет", "there is no such file")
        raise AudioInvalid(
            words(f"звук не читается: {reason}", f"cannot be read as sound: {reason}"),
            hint=words("нужен файл WAV или FLAC", "give a WAV or FLAC file"),
            place=Place(str(path)),
        ) from exc
    if len(samples) < promised:
        cut = words(
            f"файл оборван: отсчётов {len(samples)} из {promised}",
            f"is cut short: {len(samples)} of {promised} samples",
        )
        raise AudioInvalid(cut, place=Place(str(path)))
    if not np.isfinite(samples).all():
        broken = words("в нём отсчёты, которые не числа", "holds samples that are no numbers")
        raise AudioInvalid(broken, place=Place(str(path)))
    wanted = _NARROW if rate <= _NARROW else _WIDE
    return to_pcm(resample(samples.mean(axis=1), rate, wanted), wanted)


def write_kept(path: Path, content: bytes) -> None:
    """A file that several processes look for, in a folder that is made where there is none.

    Raises DiskFull.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                words("для звука не хватило места", "no space to store a sound"),
                hint=words(f"освободите место в {path.parent.parent}", f"free space at {path.parent.parent}"),
            ) from error
        raise
