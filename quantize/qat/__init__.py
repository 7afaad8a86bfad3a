"""Quantization-aware training: a torch module that computes the integers of the reference and has gradients.

Words are kept as the real numbers they stand for, in float64: an integer below 2^53 times a power of two is exact, so a
stage is its formula in real numbers followed by a quantizer to its number format.
"""
