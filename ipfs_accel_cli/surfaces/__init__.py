"""Who is asking: a shell, an assistant, a program."""
