"""How long the figures of reports take; the same as `otklik bench reports`.

python -m benchmarks.reports [--answers 100000] [--runs 20] [--database URL] [--json]

The calls are made by `bot.reports.sample`: a year of them, from one seed.
"""

from __future__ import annotations

from bot.cli.app import main

if __name__ == "__main__":
    import sys

    main(["bench", "reports", *sys.argv[1:]])
