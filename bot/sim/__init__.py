"""Scripted callers and agents over real SIP and RTP."""
