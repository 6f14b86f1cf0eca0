"""Who this node is to others."""

from ipfs_accel_cli.services.peer.peers import Peers

__all__ = ["Peers"]
