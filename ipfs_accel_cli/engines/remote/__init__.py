"""Models that run elsewhere, behind an endpoint of OpenAI's protocol."""
