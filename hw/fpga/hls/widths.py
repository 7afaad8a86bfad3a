"""Widths that a project uses beside widths that real data needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nvnmd.fpga.hls.traced import PACKETS, TracedProject
from nvnmd.quantize.reference import AtomInput


@dataclass(frozen=True)
class Width:
    """Words of a layer.

    Attributes:
        layer, type: name of the layer and its hls4ml type.
        used: bits of the type.
        needed: bits of the largest word seen, with its sign.
        typical: bits that 99 % of the words need.
    """

    layer: str
    type: str
    used: int
    needed: int
    typical: int

    @property
    def unused(self) -> int:
        """Bits that no word of the data needed."""
        return self.used - self.needed


def compare_widths(project: TracedProject, atoms: Sequence[AtomInput]) -> list[Width]:
    """Compare the widths of all layers over atoms, in the order of the graph."""
    found = []
    for name, words in project.trace(atoms).items():
        node = project.graph.graph[name]
        if node.class_name in PACKETS:
            continue
        precision = node.get_output_variable().type.precision
        # A word of b bits and its negative: |w| < 2^(b-1).
        bits = np.frexp(np.abs(words).ravel().astype(float))[1] + 1
        typical = int(np.quantile(bits, 0.99, method="lower"))
        found.append(Width(name, str(precision), int(precision.width), int(bits.max()), typical))
    return found


def widths_table(widths: Sequence[Width]) -> str:
    """The comparison as text."""
    lines = [f"{'layer':<18} {'type':<14} {'used':>5} {'needed':>7} {'unused':>7} {'99 %':>5}"]
    lines += [f"{w.layer:<18} {w.type:<14} {w.used:>5} {w.needed:>7} {w.unused:>7} {w.typical:>5}" for w in widths]
    return "\n".join(lines)
