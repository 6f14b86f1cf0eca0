"""Text that models write: continuations of prompts, and answers in a conversation."""
