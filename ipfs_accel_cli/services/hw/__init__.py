"""Know this machine."""

from ipfs_accel_cli.services.hw.hardware import Hardware

__all__ = ["Hardware"]
