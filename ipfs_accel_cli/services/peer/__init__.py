"""Who this node is to others."""
