"""What the model works on: frames reduced to everything that does not depend on trained parameters."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nvnmd.training.guard import Guard


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
        guard_atomic: [n_atoms] eV; guard_forces: [3, n_atoms] eV/angstrom; guard_virials: [n_frames, 3, 3] eV.
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

        moved: dict[str, Any] = {
            field.name: move(value) for field in fields(self) if isinstance(value := getattr(self, field.name), Tensor)
        }
        labels = self.labels
        if labels is not None:
            energies = labels.energies.to(device)
            labels = Labels(energies, move(labels.forces), move(labels.virials), labels.has_virial.to(device))
        return replace(self, **moved, labels=labels)
