"""Repositories of a hub of models as places for files."""
