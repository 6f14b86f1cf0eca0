"""The MCP server and client: the same commands for assistants."""
