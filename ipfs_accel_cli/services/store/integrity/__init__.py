"""Integrity: what was proven when, read again oldest first, mended from any copy, and kept often enough."""
