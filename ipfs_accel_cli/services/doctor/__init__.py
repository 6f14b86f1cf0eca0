"""Is this installation sound, and what does an error mean."""
