"""Frames made ready for the model: everything that does not depend on trained parameters, computed once per frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nvnmd.training.environment import switch
from nvnmd.training.guard import Guard
from nvnmd.training.neighbors import find_pairs


@dataclass(frozen=True)
class Cutoffs:
    """What the geometry of a model depends on.

    Attributes:
        rcut: angstrom.
        rcut_smth: angstrom.
        radial_scale: [n_types] scale of the first row component by center type, 1/angstrom.
        angular_scale: [n_types] scale of the other three.
        guard: the short-range guard.
    """

    rcut: float
    rcut_smth: float
    radial_scale: NDArray[np.float64]
    angular_scale: NDArray[np.float64]
    guard: Guard


@dataclass(frozen=True)
class Labels:
    """What the frames of a batch are compared with.

    Attributes:
        energies: [n_frames] float64 eV, less the sum of the energy shifts of their data set.
        forces: [3, n_atoms] eV/angstrom.
        virials: [n_frames, 3, 3] eV, zero where unknown.
        has_virial: [n_frames] bool.
    """

    energies: Tensor
    forces: Tensor
    virials: Tensor
    has_virial: Tensor


@dataclass(frozen=True)
class Batch:
    """Geometry of one or more frames.

    Pairs stand twice: "packed" (real pairs only, sorted by ordered pair of types; the embedding works on these) and
    "padded" ([n_atoms, width], one row per center; the contractions work on these). Padding places contribute zero.

    Attributes:
        names: where each frame came from, for messages.
        atoms: number of atoms of each frame.
        order: [n_atoms] index that each atom had in its own frame.
        frame_of_atom: [n_atoms].
        by_type: [n_atoms] atoms sorted by type, or None if they already are (always so for a single frame).
        type_counts: atoms of each type.
        pair_counts: packed pairs of each ordered pair of types, center * n_types + neighbor.
        inputs: [n_pairs] packed, s over the radial scale of the center.
        centers: [n_pairs] packed, the center's row; columns: [n_pairs], its place in the row.
        padded_rows: [n_atoms * width] packed pair of each padded place; any for padding.
        rows: [n_atoms, 4, width] the environment matrix, scaled.
        unit: [3, n_atoms, width] unit vectors from center to neighbor.
        slopes: [3, n_atoms, width] (ds/dr over radial scale, (ds/dr - s/r) over angular, s/r over angular).
        distances: [n_atoms, width] angstrom.
        neighbors: [n_atoms * width] row of the neighbor atom.
        reverse: [n_atoms * width] padded place of the pair seen from its other end.
        guard_energies: [n_frames] eV; guard_forces: [3, n_atoms] eV/angstrom; guard_virials: [n_frames, 3, 3] eV.
        guard_atomic: [n_atoms] eV.
        labels: or None.
    """

    names: tuple[str, ...]
    atoms: tuple[int, ...]
    order: Tensor
    frame_of_atom: Tensor
    by_type: Tensor | None
    type_counts: tuple[int, ...]
    pair_counts: tuple[int, ...]
    inputs: Tensor
    centers: Tensor
    columns: Tensor
    padded_rows: Tensor
    rows: Tensor
    unit: Tensor
    slopes: Tensor
    distances: Tensor
    neighbors: Tensor
    reverse: Tensor
    guard_atomic: Tensor
    guard_forces: Tensor
    guard_virials: Tensor
    labels: Labels | None = None

    @property
    def n_frames(self) -> int:
        return len(self.atoms)

    @property
    def n_atoms(self) -> int:
        return self.rows.shape[0]

    @property
    def width(self) -> int:
        """Places per row: the largest number of neighbors."""
        return self.rows.shape[2]

    @cached_property
    def places(self) -> Tensor:
        """[n_pairs] padded place of each packed pair."""
        return self.centers * self.width + self.columns

    def nbytes(self) -> int:
        """Memory of the tensors."""
        values = [getattr(self, field.name) for field in fields(self)]
        return sum(value.nbytes for value in values if isinstance(value, Tensor))

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Batch:
        """The same batch elsewhere; `dtype` changes floating-point tensors only (labels' energies stay float64)."""
        if torch.device(device or self.rows.device) == self.rows.device and dtype in (None, self.rows.dtype):
            return self

        def move(value: Tensor) -> Tensor:
            return value.to(device, dtype if value.is_floating_point() else None)

        moved = {
            field.name: move(value) for field in fields(self) if isinstance(value := getattr(self, field.name), Tensor)
        }
        labels = self.labels
        if labels is not None:
            energies = labels.energies.to(device)
            labels = Labels(energies, move(labels.forces), move(labels.virials), labels.has_virial.to(device))
        return replace(self, **moved, labels=labels)


def prepare_frame(
    positions: NDArray[np.float64],
    cell: NDArray[np.float64],
    types: NDArray[np.int64],
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
        GeometryError: see `find_pairs`.
    """
    n_types, n_atoms = cutoffs.radial_scale.size, len(types)
    order = np.argsort(types, kind="stable")
    types = types[order]
    pairs = find_pairs(positions[order], cell, cutoffs.rcut, periodic)
    i, j, r = pairs.centers, pairs.neighbors, pairs.distances
    counts = np.bincount(i, minlength=n_atoms)
    width = int(counts.max(initial=0))
    column = np.arange(i.size) - np.repeat(np.cumsum(counts) - counts, counts)
    place = i * width + column

    s, ds = switch(r, cutoffs.rcut_smth, cutoffs.rcut)
    unit = pairs.vectors / r[:, None]
    radial, angular = cutoffs.radial_scale[types[i]], cutoffs.angular_scale[types[i]]
    rows = np.column_stack([s / radial, unit * (s / angular)[:, None]])
    slopes = np.column_stack([ds / radial, (ds - s / r) / angular, s / r / angular])

    kind = types[i] * n_types + types[j]
    packed = np.argsort(kind, kind="stable")
    row_of_pair = np.empty_like(packed)
    row_of_pair[packed] = np.arange(packed.size)

    def padded(values: NDArray[np.float64]) -> NDArray[np.float64]:
        """[n_pairs, k] to [k, n_atoms, width]."""
        table = np.zeros((values.shape[1], n_atoms * width))
        table[:, place] = values.T
        return table.reshape(values.shape[1], n_atoms, width)

    neighbors = np.zeros(n_atoms * width, dtype=np.int64)
    neighbors[place] = j
    reverse = np.arange(n_atoms * width)
    reverse[place] = place[pairs.reverse]
    padded_rows = np.zeros(n_atoms * width, dtype=np.int64)
    padded_rows[place] = row_of_pair

    guard_energy, guard_slope = cutoffs.guard.energy(r, types[i], types[j])
    guard_force = np.zeros((n_atoms, 3))
    np.add.at(guard_force, i, guard_slope[:, None] * unit)
    guard_virial = -0.5 * (guard_slope * r * unit.T) @ unit

    def real(values: NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(dtype)

    return Batch(
        names=(name,),
        atoms=(n_atoms,),
        order=torch.from_numpy(order),
        frame_of_atom=torch.zeros(n_atoms, dtype=torch.int64),
        by_type=None,
        type_counts=tuple(np.bincount(types, minlength=n_types).tolist()),
        pair_counts=tuple(np.bincount(kind, minlength=n_types * n_types).tolist()),
        inputs=real(rows[packed, 0]),
        centers=torch.from_numpy(i[packed]),
        columns=torch.from_numpy(column[packed]),
        padded_rows=torch.from_numpy(padded_rows),
        rows=real(padded(rows).transpose(1, 0, 2)),
        unit=real(padded(unit)),
        slopes=real(padded(slopes)),
        distances=real(padded(r[:, None])[0]),
        neighbors=torch.from_numpy(neighbors),
        reverse=torch.from_numpy(reverse),
        guard_atomic=real(np.bincount(i, 0.5 * guard_energy, minlength=n_atoms)),
        guard_forces=real(guard_force.T),
        guard_virials=real(guard_virial[None]),
    )


def with_labels(batch: Batch, energy: float, forces: NDArray[np.float64], virial: NDArray[np.float64] | None) -> Batch:
    """A single prepared frame with its labels.

    Args:
        energy: eV, less the energy shifts of its data set.
        forces: [n_atoms, 3] eV/angstrom, in the frame's own order.
        virial: [3, 3] eV, or None.
    """
    dtype = batch.rows.dtype
    sorted_forces = forces[batch.order.numpy()].T
    return replace(
        batch,
        labels=Labels(
            energies=torch.tensor([energy], dtype=torch.float64),
            forces=torch.from_numpy(np.ascontiguousarray(sorted_forces)).to(dtype),
            virials=torch.from_numpy(np.zeros((1, 3, 3)) if virial is None else virial[None].copy()).to(dtype),
            has_virial=torch.tensor([virial is not None]),
        ),
    )


def collate(frames: Sequence[Batch]) -> Batch:
    """Join prepared frames (of any sizes) to one batch; a single frame is returned as it is."""
    if len(frames) == 1:
        return frames[0]
    width = max(frame.width for frame in frames)
    n_types = len(frames[0].type_counts)
    first_atom = np.cumsum([0, *(frame.n_atoms for frame in frames)])

    def atoms_type_by_type() -> Tensor:
        starts = [np.cumsum([0, *frame.type_counts]) + first for frame, first in zip(frames, first_atom, strict=False)]
        return torch.cat([torch.arange(s[kind], s[kind + 1]) for kind in range(n_types) for s in starts])

    pieces = [torch.split(torch.arange(frame.inputs.numel()), list(frame.pair_counts)) for frame in frames]
    first_pair = np.cumsum([0, *(frame.inputs.numel() for frame in frames)])
    sequence = torch.cat([p[k] + int(f) for k in range(n_types**2) for p, f in zip(pieces, first_pair, strict=False)])
    inputs = torch.cat([frame.inputs for frame in frames])[sequence]
    centers = torch.cat([f.centers + int(a) for f, a in zip(frames, first_atom, strict=False)])[sequence]
    columns = torch.cat([frame.columns for frame in frames])[sequence]
    padded_rows = torch.zeros(int(first_atom[-1]) * width, dtype=torch.int64)
    padded_rows[centers * width + columns] = torch.arange(inputs.numel())

    def widen(values: list[Tensor], atom_dim: int) -> Tensor:
        shape = [*values[0].shape[:-1], width]
        shape[atom_dim] = int(first_atom[-1])
        table = values[0].new_zeros(shape)
        for value, first in zip(values, first_atom, strict=False):
            table.narrow(atom_dim, int(first), value.shape[atom_dim])[..., : value.shape[-1]] = value
        return table

    def reversed_places(frame: Batch, first: int) -> Tensor:
        places = frame.reverse.view(frame.n_atoms, frame.width)
        if frame.width:
            places = (places // frame.width + first) * width + places % frame.width
        table = torch.arange(first * width, (first + frame.n_atoms) * width).view(frame.n_atoms, width)
        table[:, : frame.width] = places
        return table.view(-1)

    labels = [frame.labels for frame in frames]
    return Batch(
        names=tuple(name for frame in frames for name in frame.names),
        atoms=tuple(count for frame in frames for count in frame.atoms),
        order=torch.cat([frame.order for frame in frames]),
        frame_of_atom=torch.repeat_interleave(
            torch.arange(len(frames)), torch.tensor([frame.n_atoms for frame in frames])
        ),
        by_type=atoms_type_by_type(),
        type_counts=tuple(int(sum(c)) for c in zip(*(frame.type_counts for frame in frames), strict=True)),
        pair_counts=tuple(int(sum(c)) for c in zip(*(frame.pair_counts for frame in frames), strict=True)),
        inputs=inputs,
        centers=centers,
        columns=columns,
        padded_rows=padded_rows,
        rows=widen([frame.rows for frame in frames], 0),
        unit=widen([frame.unit for frame in frames], 1),
        slopes=widen([frame.slopes for frame in frames], 1),
        distances=widen([frame.distances for frame in frames], 0),
        neighbors=widen(
            [
                frame.neighbors.view(f.n_atoms, f.width) + int(a)
                for f, a in zip(frames, first_atom, strict=False)
                for frame in [f]
            ],
            0,
        ).view(-1),
        reverse=torch.cat([reversed_places(f, int(a)) for f, a in zip(frames, first_atom, strict=False)]),
        guard_atomic=torch.cat([frame.guard_atomic for frame in frames]),
        guard_forces=torch.cat([frame.guard_forces for frame in frames], dim=1),
        guard_virials=torch.cat([frame.guard_virials for frame in frames]),
        labels=_join_labels([label for label in labels if label is not None]) if all(labels) else None,
    )


def _join_labels(labels: Sequence[Labels]) -> Labels:
    return Labels(
        energies=torch.cat([label.energies for label in labels]),
        forces=torch.cat([label.forces for label in labels], dim=1),
        virials=torch.cat([label.virials for label in labels]),
        has_virial=torch.cat([label.has_virial for label in labels]),
    )
