"""Placement: which backends content goes to, by prices, regions, measured speed and load; and what it costs there."""
