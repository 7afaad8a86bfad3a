"""Sizes of a card: what its memories hold and how many multipliers work side by side."""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass

from nvnmd.fpga.errors import FpgaError
from nvnmd.quantize.integer_model import IntegerModel

DX_BITS = 18
"""Bits of a displacement in a neighbor word."""


@dataclass(frozen=True)
class Configuration:
    """Sizes that are fixed when a card is built; a model has to fit them.

    Attributes:
        m1, m2: channels and axis columns of the descriptor.
        layers, width: hidden layers of the fitting network and neurons of each.
        skip: whether all layers but the first add their input.
        types: atom types held.
        segments: table segments from ``r² = 0`` to the cutoff, of every table.
        feature_tables, scalar_tables, guard_tables: tables held.
        guard_segments: segments of a guard table.
        gates: whether gates of the strip form are built in.
        max_neighbors: most neighbors of an atom.
        fitting_lanes: words a cycle into every layer of the fitting network.
        neighbor_lanes: neighbors a cycle, 1, 2 or 4.
        columns: columns of X and rows of D a cycle.
        seg_bits: input bits inside one segment of the tanh table.
        x_bits, a_bits, b_bits, v_bits, p_bits, f_bits: word widths, as in ``NumberFormats``.
    """

    m1: int
    m2: int
    layers: int
    width: int
    skip: bool
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
    seg_bits: int = 9
    x_bits: int = 15
    a_bits: int = 18
    b_bits: int = 18
    v_bits: int = 18
    p_bits: int = 27
    f_bits: int = 32

    @property
    def identity(self) -> int:
        """A 32-bit word that differs between configurations; a load names the one it was made for."""
        return zlib.crc32(",".join(f"{key}={int(value)}" for key, value in asdict(self).items()).encode())

    def check(self, model: IntegerModel) -> None:
        """Check that a model fits the card.

        Raises:
            FpgaError: naming the first size that does not fit.
        """
        f = model.formats
        same = {
            "m1": (model.m1, self.m1),
            "m2": (model.m2, self.m2),
            "layers": (model.n_layers, self.layers),
            "skip": (any(model.skip), self.skip and self.layers > 1),
            "seg_bits": (f.tanh_seg_bits, self.seg_bits),
        }
        same |= {name: (getattr(f, name), getattr(self, name)) for name in _WIDTHS}
        same |= {f"width of layer {n}": (w.shape[1], self.width) for n, w in enumerate(model.weights, start=1)}
        for name, (wanted, built) in same.items():
            if wanted != built:
                raise FpgaError(f"the card is built for {name} = {int(built)}, the model has {int(wanted)}")
        most = {
            "types": (model.n_types, self.types),
            "bits of a displacement": (f.dx_bits, DX_BITS),
            "rows of feature tables": (len(model.feature_coef) * model.n_seg, self.feature_tables * self.segments),
            "rows of scalar tables": (len(model.scalar_coef) * model.n_seg, self.scalar_tables * self.segments),
            "rows of guard tables": (model.guard_coef[..., 0].size, self.guard_tables * self.guard_segments),
            "gates": (int(model.gate is not None), int(self.gates)),
            "neighbors": (model.max_neighbors, self.max_neighbors),
        }
        for name, (wanted, built) in most.items():
            if wanted > built:
                raise FpgaError(f"the card holds {built} {name}, the model needs {wanted}; build a larger card")


_WIDTHS = ("x_bits", "a_bits", "b_bits", "v_bits", "p_bits", "f_bits")


def configuration_for(model: IntegerModel, **sizes: int) -> Configuration:
    """The configuration that a model fits exactly; ``sizes`` override fields, lanes for instance."""
    f = model.formats
    fields = {
        "m1": model.m1,
        "m2": model.m2,
        "layers": model.n_layers,
        "width": model.weights[0].shape[1],
        "skip": any(model.skip),
        "types": model.n_types,
        "segments": model.n_seg,
        "feature_tables": len(model.feature_coef),
        "scalar_tables": len(model.scalar_coef),
        "guard_tables": max(1, len(model.guard_coef)),
        "guard_segments": max(1, model.n_guard),
        "gates": model.gate is not None,
        "max_neighbors": model.max_neighbors,
        "seg_bits": f.tanh_seg_bits,
    }
    return Configuration(**(fields | {name: getattr(f, name) for name in _WIDTHS} | sizes))
