"""Otklik: a voice bot for post-call surveys and triage."""
