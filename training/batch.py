"""What the model works on: frames reduced to everything that does not depend on trained parameters."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nvnmd.training._native import Known, PairTable
from nvnmd.training.guard import Guard
from nvnmd.training.native import known, pair_table
from nvnmd.training.padded import Padded
from nvnmd.training.pairs import Pairs


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

    Attributes:
        names: where each frame came from, for messages.
        atoms: number of atoms of each frame.
        order: [n_atoms] index that each atom had in its own frame.
        frame_of_atom: [n_atoms].
        types: [n_atoms].
        by_type: [n_atoms] atoms sorted by type, or None if they already are (always so for a single frame).
        type_counts: atoms of each type.
        pairs: neighbors and geometry.
        guard_atomic: [n_atoms] eV; guard_forces: [3, n_atoms] eV/angstrom; guard_virials: [n_frames, 3, 3] eV.
        labels: or None.
    """

    names: tuple[str, ...]
    atoms: tuple[int, ...]
    order: Tensor
    frame_of_atom: Tensor
    types: Tensor
    by_type: Tensor | None
    type_counts: tuple[int, ...]
    pairs: Pairs
    guard_atomic: Tensor
    guard_forces: Tensor
    guard_virials: Tensor
    labels: Labels | None = None

    @property
    def n_frames(self) -> int:
        return len(self.atoms)

    @property
    def n_atoms(self) -> int:
        return len(self.types)

    @cached_property
    def padded(self) -> Padded:
        """The pairs as the torch form of the model wants them."""
        return Padded.of(self.pairs, self.types)

    @cached_property
    def table(self) -> PairTable:
        """The pairs as the compiled form of the model wants them."""
        return pair_table(self.pairs, self.types, self.frame_of_atom, len(self.type_counts))

    @cached_property
    def known(self) -> Known:
        """Labels and guard as the compiled loss wants them; it sees later changes of their values."""
        assert self.labels is not None
        return known(self, self.labels)

    def nbytes(self) -> int:
        """Memory of the tensors."""
        values = [getattr(self, field.name) for field in fields(self)]
        return self.pairs.nbytes() + sum(value.nbytes for value in values if isinstance(value, Tensor))

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Batch:
        """The same batch elsewhere; `dtype` changes floating-point tensors only (labels' energies stay float64)."""
        here = self.guard_atomic
        if torch.device(device or here.device) == here.device and dtype in (None, here.dtype):
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
        return replace(self, **moved, pairs=self.pairs.to(device, dtype), labels=labels)
