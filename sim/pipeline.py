"""The control of ``atom_pipeline`` without its data: equal, cycle for cycle, to the RTL, and much faster."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nvnmd.sim import _cycles
from nvnmd.sim.errors import SimError

Cycles = np.ndarray[Any, np.dtype[np.int64]]

PLACES = ("neighbors in", "neighbors out", "network in", "network out", "gradient in", "forces in", "forces out")
"""Where packets are seen: entry and exit of the neighbor lanes, the fitting network and the force stage, and the entry
of ``descriptor_grad``."""
CAUSES = (
    "neighbor store full",
    "atom store full",
    "descriptor busy",
    "network busy",
    "rows of D busy",
    "gradient busy",
    "forces wait for the gradient",
    "sink",
)
"""What a beat can wait for, from the entry to the exit."""


@dataclass(frozen=True)
class PipelineSizes:
    """Parameters of ``atom_pipeline`` on which its timing depends.

    Attributes:
        m1, m2: channels and axis columns of the descriptor.
        layers, width: hidden layers of the fitting network and neurons of each.
        skip: whether all layers but the first add their input.
        lanes: neighbors a beat.
        net_lanes: words a beat in the fitting network.
        columns: columns of X a beat; divides ``m1``.
        atoms: atoms in flight behind their last neighbor, a power of two.
        wait: beats of neighbors in flight, a power of two; one more waits at the exit of the store.
    """

    m1: int = 32
    m2: int = 4
    layers: int = 3
    width: int = 128
    skip: bool = True
    lanes: int = 1
    net_lanes: int = 3
    columns: int = 1
    atoms: int = 16
    wait: int = 1024

    def __post_init__(self) -> None:
        if small := [name for name, value in asdict(self).items() if name != "skip" and value < 1]:
            raise SimError(f"sizes must be at least 1: {', '.join(small)}")
        if self.m2 > self.m1 or self.m1 % self.columns:
            raise SimError(
                f"m2 = {self.m2} must not exceed m1 = {self.m1}, and columns = {self.columns} has to divide it"
            )
        for name in ("atoms", "wait"):
            value = getattr(self, name)
            if value < 2 or value & (value - 1):
                raise SimError(f"{name} must be a power of two, at least 2, not {value}")

    @property
    def fewest_cycles(self) -> int:
        """Cycles an atom with few neighbors takes at least: the slowest stage behind the neighbors."""
        vectors = [-(-words // self.net_lanes) for words in (self.m1 * self.m2, self.width)]
        return max(*vectors, self.m1 // self.columns + -(-self.m2 // self.columns))

    def beats(self, neighbors: Any) -> np.ndarray[Any, np.dtype[np.int32]]:
        """Beats of atoms with ``neighbors`` [n_atoms] neighbors."""
        return np.maximum(1, -(-np.asarray(neighbors) // self.lanes)).astype(np.int32)


@dataclass(frozen=True)
class Trace:
    """What happened in a run. Cycles count from the first in which the source could offer a beat.

    Attributes:
        atoms: int64 [n_atoms, places], cycle in which the last beat of each atom passed a place of ``PLACES``.
        entered, left: int64 [beats], cycle of every beat at the entry and the exit; empty unless asked for.
        beats: beats that passed each place.
        waits: cycles in which a beat waited, by cause; several causes can hold in a cycle.
        cycles: length of the run.
        most_waiting, most_atoms: fullest state of the stores of neighbors and atoms.
    """

    atoms: Cycles
    entered: Cycles
    left: Cycles
    beats: dict[str, int]
    waits: dict[str, int]
    cycles: int
    most_waiting: int
    most_atoms: int

    @property
    def cycles_per_atom(self) -> float:
        """Mean distance of atoms at the exit, without the first atom's way through the pipeline."""
        out = self.atoms[:, PLACES.index("forces out")]
        return float(out[-1] - out[0]) / (len(out) - 1) if len(out) > 1 else float(self.cycles)


def simulate(
    sizes: PipelineSizes,
    beats: Any,
    *,
    seed: int = 0,
    idle: float = 0.0,
    stall: float = 0.0,
    keep_beats: bool = False,
) -> Trace:
    """Pass atoms through the pipeline.

    Args:
        sizes: parameters of the pipeline.
        beats: int [n_atoms], beats of each atom (``PipelineSizes.beats``).
        seed, idle, stall: the source pauses each cycle with probability ``idle`` and the sink with ``stall``, drawn as
            the RTL's stream bench draws them.
        keep_beats: whether to keep the cycle of every beat.

    Raises:
        SimError: an atom without a beat, or one that does not fit the store of neighbors.
    """
    counts = np.ascontiguousarray(beats, np.int32)
    if counts.ndim != 1 or not len(counts) or counts.min() < 1:
        raise SimError("every atom needs at least one beat, and a run at least one atom")
    if counts.max() > sizes.wait:
        atom = int(counts.argmax())
        raise SimError(f"atom {atom} has {counts[atom]} beats; the store of neighbors holds {sizes.wait}")
    if not 0.0 <= idle < 1.0 or not 0.0 <= stall < 1.0:
        raise SimError(f"idle = {idle} and stall = {stall} are probabilities below 1")
    native = _cycles.Sizes()
    for name, value in asdict(sizes).items():
        if name != "lanes":
            setattr(native, name, value)
    found = _cycles.play(native, counts, seed, idle, stall, keep_beats)
    return Trace(
        atoms=found["atoms"],
        entered=found["entered"],
        left=found["left"],
        beats=dict(zip(PLACES, found["beats"], strict=True)),
        waits=dict(zip(CAUSES, found["waits"], strict=True)),
        cycles=found["cycles"],
        most_waiting=found["most_waiting"],
        most_atoms=found["most_atoms"],
    )
