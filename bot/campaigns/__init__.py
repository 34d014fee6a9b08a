"""Outbound campaigns: whom to ring, when, how often, and when to stop."""
