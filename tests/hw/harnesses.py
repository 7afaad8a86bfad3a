"""Modules whose ports are no pair of streams, behind a harness that makes them one (``harness/*.sv``)."""

from pathlib import Path
from typing import Any

from nvnmd.fpga.verilate import Module

FOLDER = Path(__file__).with_name("harness")


def harnessed(name: str, inputs: tuple[str, ...], outputs: tuple[str, ...], **fields: Any) -> Module:
    """The harness ``name``; ``fields`` as of ``Module``."""
    return Module(name, inputs, outputs, harness=FOLDER / f"{name}.sv", **fields)
