"""What this machine is, one source of facts a file."""
