from __future__ import annotations

from tests.store.conftest import db, postgres, store_url

__all__ = ["db", "postgres", "store_url"]
