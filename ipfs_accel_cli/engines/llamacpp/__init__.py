"""llama.cpp: GGUF models, in a process of their own."""
