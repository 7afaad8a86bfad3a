"""Systems prepared for a model, kept in memory as far as allowed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from nvnmd.training.batch import Batch, Cutoffs
from nvnmd.training.collate import collate
from nvnmd.training.errors import NvnmdError
from nvnmd.training.loss import Counts
from nvnmd.training.prepare import prepare_frame, with_labels
from nvnmd.training.references import Composition, References
from nvnmd.training.system import System


class DataError(NvnmdError, ValueError):
    """Systems that do not fit the model."""


def model_types(system: System, type_map: Sequence[str]) -> NDArray[np.int64]:
    """Types of a system's atoms as indices into a model's type map, [n_atoms].

    Raises:
        DataError: the system has an element that the model does not know.
    """
    present = [system.type_map[k] for k in np.unique(system.types)]
    missing = [name for name in present if name not in type_map]
    if missing:
        raise DataError(
            f"{system.name}: element {missing[0]} is not in the model's type map {list(type_map)}; add it to type_map"
        )
    index = np.array([type_map.index(name) if name in type_map else -1 for name in system.type_map], dtype=np.int64)
    return index[system.types]  # type: ignore[no-any-return]


class FrameStore:
    """Prepared frames of several systems, addressed by one running index.

    Attributes:
        compositions: of the systems.
        references: what is added to their energies, or None where nothing can be.

    Args:
        systems: in the order of the running index.
        type_map: of the model.
        cutoffs: of the model.
        shifts: [n_types] energy shifts in eV for each system; they are taken off its energies.
        device, dtype: of the batches.
        cache_mb: memory for prepared frames; frames beyond are prepared each time they are needed.
    """

    def __init__(
        self,
        systems: Sequence[System],
        type_map: Sequence[str],
        cutoffs: Cutoffs,
        shifts: Sequence[NDArray[np.float64]],
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
        cache_mb: float = 2000.0,
    ) -> None:
        self.systems, self.type_map = list(systems), tuple(type_map)
        self._types = [model_types(system, type_map) for system in systems]
        self.compositions = [
            Composition.of(system.dataset, types, len(type_map))
            for system, types in zip(self.systems, self._types, strict=True)
        ]
        self.references: References | None = None
        self._cutoffs = cutoffs
        self._shifts = [float(of[types].sum()) for of, types in zip(shifts, self._types, strict=True)]
        self._dtype, self._device = dtype, device
        self._free = int(cache_mb * 1e6)
        self._cache: dict[int, Batch] = {}
        self._ends = np.cumsum([len(system.energies) for system in systems])

    def follow_references(self, references: References | None = None) -> References:
        """Add these constants, or zeros that may change later, to the energies of frames from here on."""
        references = References(self.compositions) if references is None else references
        self.references = references if references.moving else None
        return references

    def __len__(self) -> int:
        return int(self._ends[-1]) if self._ends.size else 0

    @property
    def sizes(self) -> list[int]:
        """Frames of each system."""
        return [len(system.energies) for system in self.systems]

    def locate(self, index: int) -> tuple[int, int]:
        """System and frame of a running index."""
        which = int(np.searchsorted(self._ends, index, side="right"))
        return which, index - (int(self._ends[which - 1]) if which else 0)

    def counts(self, indices: Sequence[int]) -> Counts:
        """What a loss over the frames of some running indices is averaged over."""
        systems = [self.systems[self.locate(index)[0]] for index in indices]
        virials = sum(system.virials is not None for system in systems)
        return Counts(len(systems), sum(system.n_atoms for system in systems), virials)

    def batch(self, indices: Sequence[int]) -> Batch:
        """The frames of some running indices as one labeled batch."""
        return collate([self._frame(index) for index in indices]).to(self._device)

    def _frame(self, index: int) -> Batch:
        prepared = self._cache[index] if index in self._cache else self._prepared(index)
        if self.references is not None:
            which, k = self.locate(index)
            assert prepared.labels is not None
            prepared.labels.energies[0] = self._energy(which, k)
        return prepared

    def _energy(self, which: int, k: int) -> float:
        """What the networks are to learn of the energy of a frame, eV."""
        system = self.systems[which]
        energy = float(system.energies[k] - self._shifts[which])
        if self.references is not None:
            energy += self.references.of(self.compositions[which]) * system.n_atoms
        return energy

    def _prepared(self, index: int) -> Batch:
        which, k = self.locate(index)
        system, types = self.systems[which], self._types[which]
        prepared = prepare_frame(
            system.positions[k],
            system.cells[k],
            types,
            self._cutoffs,
            system.periodic,
            f"{system.name}, frame {k}",
            self._dtype,
        )
        virial = None if system.virials is None else system.virials[k]
        prepared = with_labels(prepared, self._energy(which, k), system.forces[k], virial)
        if (size := prepared.nbytes()) <= self._free:
            self._free -= size
            self._cache[index] = prepared
        return prepared
