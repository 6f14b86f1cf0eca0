"""What happens on this node."""
