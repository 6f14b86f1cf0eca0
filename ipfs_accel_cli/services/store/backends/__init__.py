"""Backends as the store uses them: known by name, sent to, fetched from, and remembered."""
