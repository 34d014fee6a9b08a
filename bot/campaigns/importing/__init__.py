"""Contacts from the files that people have: CSV and spreadsheets, in any order and spelling."""
