"""The shapes in which OpenAI's interface asks and is answered. Pure."""
