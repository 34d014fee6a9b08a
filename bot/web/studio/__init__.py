"""Surveys in the browser: list, editor, dry run, publication."""
