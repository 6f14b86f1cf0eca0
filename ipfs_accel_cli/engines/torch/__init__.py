"""The engine `torch`: any architecture of transformers, weights as safetensors or plain tensors, never code."""
