"""Frames, neighbor lists, descriptor, networks, loss, the training loop and metrics."""
