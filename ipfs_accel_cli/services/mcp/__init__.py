"""What an MCP server answers, as results."""
