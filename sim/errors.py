"""Errors of the sim room."""

from __future__ import annotations

from nvnmd.training.errors import NvnmdError


class SimError(NvnmdError, RuntimeError):
    """Sizes that no card can have, or packets that it cannot take."""
