"""Surveys: schema, loader, flow, answers, triage rules and scoring. Pure but for the loader."""
