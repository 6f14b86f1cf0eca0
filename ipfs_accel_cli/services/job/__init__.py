"""Jobs: asked about, steered, and run by workers."""
