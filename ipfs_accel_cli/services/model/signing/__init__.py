"""What is signed about models: made, kept with them, and judged."""
