"""The content store: whole files and single blocks by their CID, safe against crashes and shared by processes."""

from ipfs_accel_cli.services.store.index import StoredObject, WholeFile
from ipfs_accel_cli.services.store.roots import Root, keep, release
from ipfs_accel_cli.services.store.session import PutSession, StoredFile
from ipfs_accel_cli.services.store.store import Store

__all__ = ["PutSession", "Root", "Store", "StoredFile", "StoredObject", "WholeFile", "keep", "release"]
