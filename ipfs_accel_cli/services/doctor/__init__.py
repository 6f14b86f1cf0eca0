"""Is this installation sound, and what does an error mean."""

from ipfs_accel_cli.services.doctor.doctor import Doctor
from ipfs_accel_cli.services.doctor.results import Check

__all__ = ["Check", "Doctor"]
