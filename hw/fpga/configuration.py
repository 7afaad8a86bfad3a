"""Sizes of a card: what its memories hold and how many multipliers work side by side."""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass, replace
from typing import Any

from nvnmd.fpga.errors import FpgaError
from nvnmd.fpga.pipeline import sizes
from nvnmd.quantize.integer_model import IntegerModel


@dataclass(frozen=True)
class Configuration:
    """Sizes that are fixed when a card is built; a model has to fit them.

    Attributes:
        m1, m2: channels and axis columns of the descriptor.
        layers, width: hidden layers of the fitting network and neurons of each.
        skip: whether all layers but the first add their input.
        seg_bits: input bits inside one segment of the tanh table.
        types: atom types held.
        segments: table segments from ``r² = 0`` to the cutoff, of every table.
        feature_tables, scalar_tables, guard_tables: tables held.
        guard_segments: segments of a guard table.
        gates: whether gates of the strip form are built in.
        max_neighbors: most neighbors of an atom.
        fitting_lanes: words a cycle into every layer of the fitting network.
        neighbor_lanes: neighbors a cycle, 1, 2 or 4.
        columns: columns of X and rows of D a cycle; divides ``m1``.
        atoms: atoms in flight behind the descriptor, a power of two.
    """

    m1: int
    m2: int
    layers: int
    width: int
    skip: bool
    seg_bits: int
    types: int
    segments: int
    feature_tables: int
    scalar_tables: int
    guard_tables: int
    guard_segments: int
    gates: bool
    max_neighbors: int
    fitting_lanes: int = 3
    neighbor_lanes: int = 1
    columns: int = 1
    atoms: int = 16

    def __post_init__(self) -> None:
        if self.neighbor_lanes not in (1, 2, 4):
            raise FpgaError(f"a card has 1, 2 or 4 neighbor lanes, not {self.neighbor_lanes}")
        if self.m1 % self.columns:
            raise FpgaError(f"columns = {self.columns} does not divide m1 = {self.m1}")
        if not 1 <= self.types <= 31:
            raise FpgaError(f"a card holds 1 … 31 types, not {self.types}")

    @property
    def identity(self) -> int:
        """A 32-bit word that differs between configurations; a load names the one it was made for."""
        return zlib.crc32(",".join(f"{key}={int(value)}" for key, value in asdict(self).items()).encode())

    @property
    def max_body(self) -> int:
        """Most body words of a packet: those of an atom, and some rows of a load."""
        return max(self.max_neighbors, 16)

    @property
    def parameters(self) -> dict[str, int]:
        """Parameters of ``card_core`` and ``nvnmd_card``."""
        beats = self.max_neighbors // self.neighbor_lanes + 1
        return {
            "LANES": self.neighbor_lanes,
            "TYPES": self.types,
            "M1": self.m1,
            "M2": self.m2,
            "COLUMNS": self.columns,
            "LAYERS": self.layers,
            "WIDTH": self.width,
            "NET_LANES": self.fitting_lanes,
            "SKIP": int(self.skip),
            "SEG_BITS": self.seg_bits,
            "SEGMENTS": self.segments,
            "FEATURE_TABLES": self.feature_tables,
            "SCALAR_TABLES": self.scalar_tables,
            "GUARD_SEGMENTS": self.guard_segments,
            "GUARD_TABLES": self.guard_tables,
            "GATES": int(self.gates),
            "ATOMS": self.atoms,
            "WAIT": 1 << (self.atoms * beats // 2).bit_length(),
            "MAX_BODY": self.max_body,
            "IDENTITY": self.identity,
        }

    def check(self, model: IntegerModel) -> None:
        """Check that a model fits the card.

        Raises:
            FpgaError: naming the first size that does not fit.
        """
        needs = configuration_for(model)
        for name in ("m1", "m2", "layers", "width", "skip", "seg_bits"):
            wanted, built = getattr(needs, name), getattr(self, name)
            if wanted != built:
                raise FpgaError(f"the card is built for {name} = {int(built)}, the model has {int(wanted)}")
        for name in (
            "types",
            "segments",
            "feature_tables",
            "scalar_tables",
            "guard_tables",
            "guard_segments",
            "gates",
            "max_neighbors",
        ):
            wanted, built = getattr(needs, name), getattr(self, name)
            if wanted > built:
                raise FpgaError(f"the card has {name} = {int(built)}, the model needs {int(wanted)}")


def configuration_for(model: IntegerModel, **fields: Any) -> Configuration:
    """The configuration that a model fits exactly; ``fields`` override, lanes for instance.

    Raises:
        FpgaError: the RTL cannot hold such a model.
    """
    named: dict[str, Any] = {name.lower(): size for name, size in sizes(model).items()}
    return replace(Configuration(**named, max_neighbors=model.max_neighbors), **fields)
