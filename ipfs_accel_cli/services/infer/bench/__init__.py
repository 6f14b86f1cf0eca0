"""How fast engines run a model here, how much memory that takes, and how well it then answers."""
