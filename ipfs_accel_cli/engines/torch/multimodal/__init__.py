"""Models that read pictures and words: captions, questions, and both in one space."""
