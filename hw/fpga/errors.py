"""Errors of the fpga room."""

from __future__ import annotations

from nvnmd.training.errors import NvnmdError


class FpgaError(NvnmdError, RuntimeError):
    """RTL that cannot be built or simulated here, or a simulation that broke the rules of its streams."""
