"""Writing text with a decoder: caches, what a network reads at once, and requests on their way."""
