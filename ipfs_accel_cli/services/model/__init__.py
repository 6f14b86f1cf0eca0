"""Models: where they come from, what they are called, and whether they are what they claim to be."""

from ipfs_accel_cli.services.model.service import Models

__all__ = ["Models"]
