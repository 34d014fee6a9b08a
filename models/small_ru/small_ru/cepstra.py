"""How the recogniser sees a line: numbers that the training and the model's conf/mfcc.conf must share."""

from __future__ import annotations

LINE_RATE = 8000
COUNT = 40
"""Cepstra, and the filters that they come from."""
LOW_HZ, HIGH_HZ = 40, 3800

CONFIGURATION = f"""\
--sample-frequency={LINE_RATE}
--use-energy=false
--num-mel-bins={COUNT}
--num-ceps={COUNT}
--low-freq={LOW_HZ}
--high-freq={HIGH_HZ}
--dither=0.0
--allow-upsample=true
--allow-downsample=true
"""
