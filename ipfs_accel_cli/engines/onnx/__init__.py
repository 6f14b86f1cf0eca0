"""The ONNX engine: encoders of texts and pictures as graphs, exported once and run without torch."""
