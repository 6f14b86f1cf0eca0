"""What is asked of sessions and what they answer, one module a modality."""
