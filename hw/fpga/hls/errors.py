"""Errors of the HLS path."""

from __future__ import annotations

from nvnmd.fpga.errors import FpgaError


class HlsError(FpgaError):
    """A model that the HLS project cannot hold, a tool that is missing, or a project that cannot be used."""
