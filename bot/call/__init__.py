"""One call from ring to result."""
