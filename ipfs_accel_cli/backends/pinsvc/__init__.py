"""Pinning services: they are told by CID what to keep, and fetch it themselves."""
