"""IPFS nodes among the backends, for what they do beyond keeping content."""
