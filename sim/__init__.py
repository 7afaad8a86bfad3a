"""The accelerator cycle by cycle: when every atom enters and leaves each of its blocks, and what it waits for."""

from nvnmd.sim.errors import SimError
from nvnmd.sim.pipeline import CAUSES, PLACES, PipelineSizes, Trace, simulate

__all__ = ["CAUSES", "PLACES", "PipelineSizes", "SimError", "Trace", "simulate"]
