"""The journal: calls, one call from its ring to its end, and what became of unhappy customers."""
