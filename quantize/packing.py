"""From positions to neighbor words (docs/numerics.md, section 2), and from atom results to forces and virials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nvnmd.quantize.errors import QuantizeError
from nvnmd.quantize.fixed import STAGES, limit, rnd
from nvnmd.quantize.integer_model import IntArray, IntegerModel
from nvnmd.quantize.reference import AtomInput, evaluate_atom, squared_distance


@dataclass(frozen=True)
class FrameWords:
    """Neighbor words of all atoms of one frame, sorted by center.

    Attributes:
        types: int64 [n_atoms].
        first: int64 [n_atoms + 1]; the neighbors of atom ``i`` are ``first[i]:first[i+1]``.
        neighbor: int64 [pairs], index of the neighbor atom.
        displacement: int64 [pairs, 3].
    """

    types: IntArray
    first: IntArray
    neighbor: IntArray
    displacement: IntArray

    def atoms(self) -> Iterator[AtomInput]:
        """Yield the input of every atom in order."""
        for i, center in enumerate(self.types):
            span = slice(self.first[i], self.first[i + 1])
            yield AtomInput(int(center), self.displacement[span], self.types[self.neighbor[span]])


@dataclass(frozen=True)
class FrameResult:
    """Integers of one frame and their values.

    Attributes:
        atom_energy: int64 [n_atoms], ``e_frac``.
        force: int64 [n_atoms, 3], ``f_frac``.
        atom_virial: int64 [n_atoms, 3, 3], ``w_frac``, assigned to the neighbor atom (centroid form).
        clipped: words clipped per stage, summed over atoms.
        too_close: neighbors below the table's start.
    """

    atom_energy: IntArray
    force: IntArray
    atom_virial: IntArray
    clipped: dict[str, int]
    too_close: int


def pack_frame(
    model: IntegerModel, positions: Any, cell: Any, types: Any, periodic: bool = True, exact: bool = False
) -> FrameWords:
    """Build neighbor words of a frame.

    Args:
        positions: [n_atoms, 3] Å.
        cell: [3, 3] Å, rows are vectors; any size, small cells contribute several images.
        types: [n_atoms] indices into the model's type map.
        periodic: along all three vectors, or not at all.
        exact: keep the displacements of the same neighbors unrounded, in float64; only to measure what rounding costs.

    Raises:
        QuantizeError: not finite positions, or an atom with more neighbors than the model holds.
    """
    from vesin import NeighborList

    positions, types = np.asarray(positions, float), np.asarray(types, np.int64)
    if not np.isfinite(positions).all():
        raise QuantizeError(
            f"atom {int(np.argwhere(~np.isfinite(positions))[0, 0])} has a position that is not a finite number"
        )
    search = NeighborList(cutoff=model.rcut_A + 1e-2, full_list=True)
    i, j, vectors = search.compute(points=positions, box=np.asarray(cell, float), periodic=periodic, quantities="ijD")
    order = np.argsort(i, kind="stable")
    i, j, vectors = i[order].astype(np.int64), j[order].astype(np.int64), vectors[order]
    x = np.rint(vectors * float(1 << model.formats.dx_frac)).astype(np.int64)
    inside = (np.abs(x) <= limit(model.formats.dx_bits)).all(axis=1)
    inside[inside] = squared_distance(model, x[inside]) < model.u_cut
    counts = np.bincount(i[inside], minlength=len(types))
    if len(types) and counts.max() > model.max_neighbors:
        atom = int(counts.argmax())
        raise QuantizeError(
            f"atom {atom} has {counts[atom]} neighbors within {model.rcut_A} Å; the model holds {model.max_neighbors}"
        )
    kept = vectors * float(1 << model.formats.dx_frac) if exact else x
    return FrameWords(types, np.concatenate([[0], np.cumsum(counts)]), j[inside], kept[inside])


def evaluate_frame(model: IntegerModel, words: FrameWords) -> FrameResult:
    """Run the reference on every atom and assemble forces and virials (section 8)."""
    f, n = model.formats, len(words.types)
    energy, force, virial = np.zeros(n, np.int64), np.zeros((n, 3), np.int64), np.zeros((n, 3, 3), np.int64)
    clipped, too_close = dict.fromkeys(STAGES, 0), 0
    for i, atom in enumerate(words.atoms()):
        result = evaluate_atom(model, atom)
        span = slice(words.first[i], words.first[i + 1])
        energy[i] = result.energy
        force[i] += result.force.sum(axis=0)
        np.subtract.at(force, words.neighbor[span], result.force)
        product = words.displacement[span][:, :, None] * result.force[:, None, :]
        np.subtract.at(virial, words.neighbor[span], rnd(product, f.dx_frac + f.f_frac - f.w_frac))
        clipped = {stage: clipped[stage] + result.clipped[stage] for stage in STAGES}
        too_close += result.too_close
    return FrameResult(energy, force, virial, clipped, too_close)
