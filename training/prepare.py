"""From a frame to a batch of one: neighbor list and geometry, once per frame and not once per step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nvnmd.training.batch import Batch, Cutoffs, Labels
from nvnmd.training.environment import switch
from nvnmd.training.guard import Guard
from nvnmd.training.neighbors import PairList, find_pairs

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def prepare_frame(
    positions: Floats,
    cell: Floats,
    types: Ints,
    cutoffs: Cutoffs,
    periodic: bool = True,
    name: str = "frame",
    dtype: torch.dtype = torch.float32,
) -> Batch:
    """Neighbor list and geometry of one frame.

    Args:
        positions: [n_atoms, 3] angstrom.
        cell: [3, 3] angstrom, rows are vectors.
        types: [n_atoms] index into the model's type map.
        cutoffs: of the model.
        periodic: along all three vectors, or not at all.
        name: for messages.
        dtype: of the floating-point tensors; everything is computed in float64 first.

    Raises:
        GeometryError: see `find_pairs`; the message starts with the frame's name.
    """
    n_types, n_atoms = cutoffs.radial_scale.size, len(types)
    order = np.argsort(types, kind="stable")
    types = types[order]
    pairs = find_pairs(positions[order], cell, cutoffs.rcut, periodic, name, order)
    places = _Places.of(pairs.centers, n_atoms)
    unit = pairs.vectors / pairs.distances[:, None]
    rows, slopes = _environment(pairs, unit, types, cutoffs)
    kinds = types[pairs.centers] * n_types + types[pairs.neighbors]
    packed = np.argsort(kinds, kind="stable")
    guard = _guard(pairs, unit, types, cutoffs.guard)

    def real(values: Floats) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(dtype)

    return Batch(
        names=(name,),
        atoms=(n_atoms,),
        order=torch.from_numpy(order),
        frame_of_atom=torch.zeros(n_atoms, dtype=torch.int64),
        by_type=None,
        type_counts=tuple(np.bincount(types, minlength=n_types).tolist()),
        pair_counts=tuple(np.bincount(kinds, minlength=n_types * n_types).tolist()),
        inputs=real(rows[packed, 0]),
        centers=torch.from_numpy(pairs.centers[packed]),
        columns=torch.from_numpy(places.columns[packed]),
        padded_rows=torch.from_numpy(places.indices(np.argsort(packed))),
        rows=real(places.table(rows).transpose(1, 0, 2)),
        unit=real(places.table(unit)),
        slopes=real(places.table(slopes)),
        distances=real(places.table(pairs.distances[:, None])[0]),
        neighbors=torch.from_numpy(places.indices(pairs.neighbors)),
        reverse=torch.from_numpy(places.indices(places.flat[pairs.reverse], padding_to_itself=True)),
        guard_atomic=real(guard[0]),
        guard_forces=real(guard[1]),
        guard_virials=real(guard[2]),
    )


def with_labels(batch: Batch, energy: float, forces: Floats, virial: Floats | None) -> Batch:
    """A single prepared frame with its labels.

    Args:
        batch: from `prepare_frame`.
        energy: eV, less the energy shifts of its data set.
        forces: [n_atoms, 3] eV/angstrom, in the frame's own order.
        virial: [3, 3] eV, or None.
    """
    dtype = batch.rows.dtype
    in_order = np.ascontiguousarray(forces[batch.order.numpy()].T)
    labels = Labels(
        energies=torch.tensor([energy], dtype=torch.float64),
        forces=torch.from_numpy(in_order).to(dtype),
        virials=torch.from_numpy(np.zeros((1, 3, 3)) if virial is None else virial[None].copy()).to(dtype),
        has_virial=torch.tensor([virial is not None]),
    )
    return replace(batch, labels=labels)


@dataclass(frozen=True)
class _Places:
    """Where each pair stands in a table with one row per center: its column and its flat index."""

    n_atoms: int
    width: int
    columns: Ints
    flat: Ints

    @classmethod
    def of(cls, centers: Ints, n_atoms: int) -> _Places:
        counts = np.bincount(centers, minlength=n_atoms)
        width = int(counts.max(initial=0))
        columns = np.arange(centers.size) - np.repeat(np.cumsum(counts) - counts, counts)
        return cls(n_atoms, width, columns, centers * width + columns)

    def table(self, values: Floats) -> Floats:
        """[n_pairs, k] to [k, n_atoms, width], zero where there is no pair."""
        table = np.zeros((values.shape[1], self.n_atoms * self.width))
        table[:, self.flat] = values.T
        return table.reshape(values.shape[1], self.n_atoms, self.width)

    def indices(self, values: Ints, padding_to_itself: bool = False) -> Ints:
        """[n_pairs] to [n_atoms * width]; padding is 0 or its own place."""
        size = self.n_atoms * self.width
        table = np.arange(size) if padding_to_itself else np.zeros(size, dtype=np.int64)
        table[self.flat] = values
        return table


def _environment(pairs: PairList, unit: Floats, types: Ints, cutoffs: Cutoffs) -> tuple[Floats, Floats]:
    """Scaled rows [n_pairs, 4] and the slopes of `Batch` [n_pairs, 3]."""
    r = pairs.distances
    s, ds = switch(r, cutoffs.rcut_smth, cutoffs.rcut)
    radial = cutoffs.radial_scale[types[pairs.centers]]
    angular = cutoffs.angular_scale[types[pairs.centers]]
    rows = np.column_stack([s / radial, unit * (s / angular)[:, None]])
    return rows, np.column_stack([ds / radial, (ds - s / r) / angular, s / r / angular])


def _guard(pairs: PairList, unit: Floats, types: Ints, guard: Guard) -> tuple[Floats, Floats, Floats]:
    """Guard energies [n_atoms], forces [3, n_atoms], virial [1, 3, 3]."""
    energy, slope = guard.energy(pairs.distances, types[pairs.centers], types[pairs.neighbors])
    atomic = np.bincount(pairs.centers, 0.5 * energy, minlength=len(types)).astype(np.float64)
    forces = np.zeros((len(types), 3))
    np.add.at(forces, pairs.centers, slope[:, None] * unit)
    virial = -0.5 * (slope * pairs.distances * unit.T) @ unit
    return atomic, forces.T, virial[None]
