"""Models that look at pictures, and what is done to pictures without one."""
