"""What can run the expression network: JAX always, OpenVINO and ONNX Runtime where they are installed."""
