"""What one service tells another: the node hands these over, since services do not know each other."""
