"""What a user chooses when a project is written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HlsOptions:
    """Choices of a project.

    Attributes:
        part: Xilinx part.
        clock_MHz: clock that Vitis HLS is asked for.
        reuse: cycles that share a multiplier in the fitting network; the nearest that hls4ml allows is taken.
        name: of the project and its top function.
    """

    part: str = "xcvu9p-flga2104-2-e"
    clock_MHz: float = 250.0
    reuse: int = 64
    name: str = "nvnmd_atom"
