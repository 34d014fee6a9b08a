"""How long a caller waits for the bot, at his own socket; the same as `otklik bench reply-gap`.

python -m benchmarks.reply_gap [--calls 20] [--json] [--capture DIR]
"""

from __future__ import annotations

from bot.cli.app import main

if __name__ == "__main__":
    import sys

    main(["bench", "reply-gap", *sys.argv[1:]])
