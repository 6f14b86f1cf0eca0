"""Backends: places that keep content, each one module named as the user names it."""
