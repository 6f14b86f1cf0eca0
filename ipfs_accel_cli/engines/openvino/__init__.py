"""The OpenVINO engine: the graphs of the ONNX engine on what OpenVINO can compute on."""
