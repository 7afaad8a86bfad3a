"""From a frame to a batch of one: neighbor list and geometry, once per frame and not once per step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nvnmd.training.batch import Batch, Cutoffs, Labels
from nvnmd.training.environment import switch
from nvnmd.training.guard import Guard
from nvnmd.training.neighbors import PairList, find_pairs
from nvnmd.training.pairs import Pairs

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
    unit = pairs.vectors / pairs.distances[:, None]
    guard = _guard(pairs, unit, types, cutoffs.guard)

    def real(values: Floats) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(dtype)

    return Batch(
        names=(name,),
        atoms=(n_atoms,),
        order=torch.from_numpy(order),
        frame_of_atom=torch.zeros(n_atoms, dtype=torch.int64),
        types=torch.from_numpy(types),
        by_type=None,
        type_counts=tuple(np.bincount(types, minlength=n_types).tolist()),
        pairs=_pairs(pairs, real(_geometry(pairs, unit, types, cutoffs)), types, n_types),
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
    dtype = batch.guard_atomic.dtype
    in_order = np.ascontiguousarray(forces[batch.order.numpy()].T)
    labels = Labels(
        energies=torch.tensor([energy], dtype=torch.float64),
        forces=torch.from_numpy(in_order).to(dtype),
        virials=torch.from_numpy(np.zeros((1, 3, 3)) if virial is None else virial[None].copy()).to(dtype),
        has_virial=torch.tensor([virial is not None]),
    )
    return replace(batch, labels=labels)


def _pairs(found: PairList, geometry: Tensor, types: Ints, n_types: int) -> Pairs:
    """Atoms are sorted by type, so pairs sorted by center and neighbor are sorted by the neighbor's type as well."""
    runs = np.bincount(found.centers * n_types + types[found.neighbors], minlength=len(types) * n_types)
    kinds = np.bincount(types[found.centers] * n_types + types[found.neighbors], minlength=n_types * n_types)
    return Pairs(
        offsets=torch.from_numpy(np.concatenate([[0], np.cumsum(runs)]).astype(np.int64)),
        neighbors=torch.from_numpy(found.neighbors.astype(np.int32)),
        reverse=torch.from_numpy(found.reverse.astype(np.int32)),
        geometry=geometry,
        counts=tuple(kinds.tolist()),
        width=int(np.bincount(found.centers, minlength=1).max(initial=0)),
    )


def _geometry(pairs: PairList, unit: Floats, types: Ints, cutoffs: Cutoffs) -> Floats:
    """The columns of `Pairs.geometry`, [n_pairs, 12]."""
    r = pairs.distances
    s, ds = switch(r, cutoffs.rcut_smth, cutoffs.rcut)
    radial = cutoffs.radial_scale[types[pairs.centers]]
    angular = cutoffs.angular_scale[types[pairs.centers]]
    slopes = np.column_stack([ds / radial, (ds - s / r) / angular, s / r / angular])
    return np.column_stack([s / radial, unit * (s / angular)[:, None], unit, slopes, r, np.zeros_like(r)])


def _guard(pairs: PairList, unit: Floats, types: Ints, guard: Guard) -> tuple[Floats, Floats, Floats]:
    """Guard energies [n_atoms], forces [3, n_atoms], virial [1, 3, 3]."""
    energy, slope = guard.energy(pairs.distances, types[pairs.centers], types[pairs.neighbors])
    atomic = np.bincount(pairs.centers, 0.5 * energy, minlength=len(types)).astype(np.float64)
    forces = np.zeros((len(types), 3))
    np.add.at(forces, pairs.centers, slope[:, None] * unit)
    virial = -0.5 * (slope * pairs.distances * unit.T) @ unit
    return atomic, forces.T, virial[None]
