"""Know this machine."""
