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
        reason = "there is no such file" if not path.is_file() else str(exc)
        raise AudioInvalid(
            f"cannot be read as sound: {reason}", hint="give a WAV or FLAC file", place=Place(str(path))
        ) from exc
    if len(samples) < promised:
        raise AudioInvalid(f"is cut short: {len(samples)} of {promised} samples", place=Place(str(path)))
    if not np.isfinite(samples).all():
        raise AudioInvalid("holds samples that are no numbers", place=Place(str(path)))
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
            raise DiskFull("no space to store a sound", hint=f"free space at {path.parent.parent}") from error
        raise
