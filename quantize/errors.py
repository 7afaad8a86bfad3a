"""Errors of the quantize room."""

from __future__ import annotations

from nvnmd.training.errors import NvnmdError


class QuantizeError(NvnmdError, ValueError):
    """A model that cannot be expressed in the integer specification, or input that is outside its range."""


class ModelFileError(QuantizeError):
    """A model file that is missing, damaged, of an unknown version, or inconsistent."""


def require(condition: bool, message: str) -> None:
    """Raise ``QuantizeError(message)`` unless ``condition`` holds."""
    if not condition:
        raise QuantizeError(f"integer model: {message}")
