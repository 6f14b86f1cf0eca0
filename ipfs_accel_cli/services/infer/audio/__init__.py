"""Speech and sound: written down, spoken, found, named, and made ready."""
