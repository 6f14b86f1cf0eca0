"""The ONNX engine: encoders as graphs, exported once and run without torch."""
