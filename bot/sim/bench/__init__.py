"""Measuring turns with scripted callers: what they say, when, and what their sockets saw of the bot."""
