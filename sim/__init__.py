"""The accelerator cycle by cycle, with PCIe and host around it: when every atom enters and leaves each block, what it
waits for, and what a step costs."""

from nvnmd.sim.card import (
    CARD_CAUSES,
    PACKET_PLACES,
    STORES,
    CardSizes,
    CardTrace,
    Status,
    atom_packets,
    packets,
    simulate_card,
)
from nvnmd.sim.errors import SimError
from nvnmd.sim.host import HostModel, Link, StepTrace, simulate_step
from nvnmd.sim.pipeline import CAUSES, PLACES, PipelineSizes, Trace, simulate

__all__ = [
    "CARD_CAUSES",
    "CAUSES",
    "PACKET_PLACES",
    "PLACES",
    "STORES",
    "CardSizes",
    "CardTrace",
    "HostModel",
    "Link",
    "PipelineSizes",
    "SimError",
    "Status",
    "StepTrace",
    "Trace",
    "atom_packets",
    "packets",
    "simulate",
    "simulate_card",
    "simulate_step",
]
