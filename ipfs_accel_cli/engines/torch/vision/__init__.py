"""Models that look at pictures, on torch."""
