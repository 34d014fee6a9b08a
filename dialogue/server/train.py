"""`rasa train`, with the same arguments, in half the time.

    dialogue/.venv/bin/python dialogue/server/train.py train --config config.yml …

Rasa reads and checks the data three times, and copies every sentence each time that it joins two
files' data; with 20,000 sentences that takes longer than the training.
Runs in Rasa's environment (Python 3.10). The process environment is set by `dialogue/launch.py`.
"""

from __future__ import annotations

import copy
import sys
import types
from functools import lru_cache

from loopback import stay_on_loopback

stay_on_loopback()  # before a package is imported that could call home
from without_tensorflow import TensorFlowIsAbsent, do_without_tensorflow  # noqa: E402

do_without_tensorflow()

# First of all: see launch.py.
import scipy.special  # noqa: E402, F401, I001

import rasa.__main__  # noqa: E402
import rasa.shared.nlu.training_data.training_data as training_data  # noqa: E402
from rasa.engine.exceptions import GraphComponentException  # noqa: E402
from rasa.shared.importers.rasa import RasaFileImporter  # noqa: E402


def read_once() -> None:
    """Keep what an importer has read: its files do not change while it trains."""
    RasaFileImporter.get_nlu_data = lru_cache(maxsize=None)(RasaFileImporter.get_nlu_data)


def join_without_copies() -> None:
    """Joined data shares its sentences with its parts: one training is all that is made of them."""
    training_data.copy = types.SimpleNamespace(copy=copy.copy, deepcopy=copy.copy)


if __name__ == "__main__":
    read_once()
    join_without_copies()
    try:
        rasa.__main__.main()
    except GraphComponentException as error:
        if isinstance(error.__cause__, TensorFlowIsAbsent):
            sys.exit(str(error.__cause__))  # the reason is what is read last
        raise
