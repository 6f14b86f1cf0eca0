"""The reference: one model read from the product, rendered as Markdown, HTML, JSON and a man page."""
