"""Choose a configuration for a model and a rate, and say what it costs before anything is built."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from nvnmd.fpga.configuration import Configuration
from nvnmd.fpga.errors import FpgaError

GETE = 29
"""Neighbors of an atom in liquid and crystalline GeTe inside 6 Å, the mean rounded up."""

_GETE_TABLES: dict[str, Any] = {
    "types": 2,
    "segments": 288,
    "feature_tables": 4,
    "scalar_tables": 2,
    "guard_tables": 4,
    "guard_segments": 64,
    "gates": False,
    "max_neighbors": 64,
    "seg_bits": 9,
    "skip": True,
    "m1": 32,
    "m2": 4,
}


@dataclass(frozen=True)
class Prediction:
    """What a configuration does and costs, by counting.

    Attributes:
        stage_cycles: cycles that one atom keeps each stage busy.
        dsp: multipliers, by block.
        memory_kbit: words of tables and weights, and buffers, by block, in 1024 bits.
    """

    stage_cycles: dict[str, int]
    dsp: dict[str, int]
    memory_kbit: dict[str, float]

    @property
    def cycles(self) -> int:
        """Cycles an atom, set by the slowest stage."""
        return max(self.stage_cycles.values())

    @property
    def working(self) -> dict[str, float]:
        """Share of the cycles in which each block of ``dsp`` works, at the rate that the slowest stage allows."""
        stages = {"neighbor front": "neighbors", "gradient": "descriptor"}
        return {block: self.stage_cycles[stages.get(block, block)] / self.cycles for block in self.dsp}


def predict(c: Configuration, neighbors: int = GETE) -> Prediction:
    """Predict rate and cost of a configuration for atoms with so many neighbors."""
    return Prediction(_stage_cycles(c, neighbors), _multipliers(c), _memory_kbit(c))


def plan(
    sizes: Configuration, target_cycles: int, neighbors: int = GETE, fixed: dict[str, int] | None = None
) -> Configuration:
    """The cheapest lanes with which a card takes an atom every ``target_cycles`` cycles.

    Args:
        sizes: what to hold, for example ``configuration_for(model)``; its lanes do not matter.
        target_cycles: most cycles an atom with ``neighbors`` neighbors may take.
        fixed: fields of the result that are not chosen.

    Raises:
        FpgaError: no number of lanes reaches the target.
    """
    widest = max(sizes.m1 * sizes.m2, sizes.width)
    chosen: dict[str, Any] = {
        "fitting_lanes": -(-widest // target_cycles),
        "columns": _first("columns", (n for n in range(1, sizes.m1 + 1) if sizes.m1 % n == 0), sizes, target_cycles, 0),
        "neighbor_lanes": _first("neighbor_lanes", (1, 2, 4), sizes, target_cycles, neighbors),
    }
    return replace(sizes, **(chosen | (fixed or {})))


def _first(name: str, choices: Any, sizes: Configuration, target: int, neighbors: int) -> int:
    stages = ("descriptor",) if name == "columns" else ("packets in", "neighbors", "packets out")
    for choice in choices:
        cycles = _stage_cycles(replace(sizes, **{name: choice}), neighbors)
        if max(cycles[stage] for stage in stages) <= target:
            return int(choice)
    raise FpgaError(f"no number of {name} takes an atom with {neighbors} neighbors every {target} cycles")


def named(name: str) -> Configuration:
    """The configurations ``letter`` (GeTe, 128 → 128 → 128 → 128 → 1) and ``fast`` (128 → 64 → 64 → 1).

    Raises:
        FpgaError: another name.
    """
    # Four neighbor lanes where two would do for the mean: crowded atoms then take no longer. 15 cycles, because at
    # 250 MHz the 16 of the bar would leave no time for the first and the last packets of a step.
    shapes: dict[str, tuple[dict[str, int], int, dict[str, int]]] = {
        "letter": ({"layers": 3, "width": 128}, 59, {}),
        "fast": ({"layers": 2, "width": 64}, 15, {"neighbor_lanes": 4}),
    }
    if name not in shapes:
        raise FpgaError(f"there is no configuration {name!r}; try {' or '.join(shapes)}")
    shape, target, fixed = shapes[name]
    return plan(Configuration(**(_GETE_TABLES | shape)), target, fixed=fixed)


def _stage_cycles(c: Configuration, neighbors: int) -> dict[str, int]:
    lanes = c.neighbor_lanes
    # With several lanes the header's beat is a beat of neighbors too.
    beats = max(neighbors, 1) if lanes == 1 else neighbors // lanes + 1
    return {
        "packets in": 8 * -(-(neighbors + 2) // 8) // lanes,
        "neighbors": beats,
        "descriptor": c.m1 // c.columns + -(-c.m2 // c.columns),
        "fitting network": max(-(-c.m1 * c.m2 // c.fitting_lanes), -(-c.width // c.fitting_lanes)),
        "forces": beats,
        "packets out": 4 * -(-(neighbors + 3) // 4) // lanes,
    }


def _multipliers(c: Configuration) -> dict[str, int]:
    """Products formed side by side; each fits one DSP48E2."""
    inputs, lanes, columns = c.m1 * c.m2, c.neighbor_lanes, c.columns * c.m2
    matrices = 2 * (c.layers - 1) * c.width + c.width + inputs
    return {
        "neighbor front": lanes * (3 + 2 * c.m1 * (2 if c.gates else 1) + 6 + 3),
        "descriptor": lanes * 4 * c.m1 + 4 * columns,
        "fitting network": c.fitting_lanes * (matrices + 1 + 3 * c.layers),
        "gradient": 8 * columns,
        "forces": lanes * (8 * c.m1 + 15),
    }


def _memory_kbit(c: Configuration) -> dict[str, float]:
    inputs, lanes = c.m1 * c.m2, c.neighbor_lanes
    weights = 2 * (inputs * c.width + (c.layers - 1) * c.width**2) + 2 * c.width
    tables = c.segments * (c.feature_tables * c.m1 * 48 + c.scalar_tables * 2 * 81)
    tables += c.guard_tables * c.guard_segments * 86 + c.types**2 * (48 + 16 * c.m1 * int(c.gates))
    carry = 3 * 18 + 2 * c.m1 * 16 + 4 * 27 + 4 * 16
    bits = {
        "weights": c.types * weights * 16,
        "tables": lanes * tables,
        "neighbors wait": c.parameters["WAIT"] * (lanes * (carry + 1) + 1),
    }
    return {name: value / 1024 for name, value in bits.items()}
