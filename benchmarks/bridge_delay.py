"""How long sound takes through a bridge and back; the same as `otklik bench bridge`.

python -m benchmarks.bridge_delay [--calls 4] [--json] [--capture DIR]
"""

from __future__ import annotations

from bot.cli.app import main

if __name__ == "__main__":
    import sys

    main(["bench", "bridge", *sys.argv[1:]])
