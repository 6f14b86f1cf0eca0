"""Prompt templates that are kept: content in the store, under names with versions."""
