"""Running models: embeddings and text, by whatever engine fits."""
