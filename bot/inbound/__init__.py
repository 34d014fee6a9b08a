"""Calls that come in: which survey they are for, and whose talk they are about. Pure."""
