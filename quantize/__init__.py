"""Fixed point: number formats, the integer reference, quantization-aware training and the model file."""
