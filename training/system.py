"""One set of labeled frames that share a list of atoms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nvnmd.training.errors import NvnmdError

Floats = NDArray[np.float64]


class FramesError(NvnmdError, ValueError):
    """Labeled frames that cannot be read or should not be trained on."""


@dataclass(frozen=True)
class System:
    """Frames that share one list of atoms, with their labels.

    Attributes:
        name: where the frames came from, for messages and tables.
        type_map: element symbols; `types` points into it.
        types: [n_atoms] int.
        cells: [n_frames, 3, 3] angstrom, rows are the cell vectors; zeros without periodicity.
        positions: [n_frames, n_atoms, 3] angstrom.
        energies: [n_frames] eV.
        forces: [n_frames, n_atoms, 3] eV/angstrom.
        virials: [n_frames, 3, 3] eV, -dE/d(strain): a positive trace is a positive pressure. None without labels.
        periodic: along all three cell vectors, or not at all.
        label: "dft", or "teacher:<name>" where another potential made the labels.
        dataset: systems with the same value share one energy reference, see `shifts`.
    """

    name: str
    type_map: tuple[str, ...]
    types: NDArray[np.int64]
    cells: Floats
    positions: Floats
    energies: Floats
    forces: Floats
    virials: Floats | None
    periodic: bool = True
    label: str = "dft"
    dataset: str = ""

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.energies)

    @property
    def n_atoms(self) -> int:
        """Number of atoms in each frame."""
        return len(self.types)

    @property
    def symbols(self) -> list[str]:
        """Element of each atom."""
        return [self.type_map[k] for k in self.types]

    @property
    def formula(self) -> str:
        """Composition in the order of the type map, as in Ge32Te32."""
        counts = Counter(self.symbols)
        return "".join(f"{element}{counts[element]}" for element in self.type_map if counts[element])

    @property
    def volumes(self) -> Floats:
        """[n_frames] cubic angstrom; zeros without periodicity."""
        return np.abs(np.linalg.det(self.cells))

    def select(self, frames: Sequence[int] | NDArray[np.int64] | slice, name: str | None = None) -> System:
        """The same system with some of its frames, in the order given."""
        return replace(
            self,
            name=name or self.name,
            cells=self.cells[frames],
            positions=self.positions[frames],
            energies=self.energies[frames],
            forces=self.forces[frames],
            virials=None if self.virials is None else self.virials[frames],
        )

    def with_type_map(self, type_map: Sequence[str]) -> System:
        """The same frames with types that point into another type map.

        Raises:
            FramesError: an atom is of an element that the other type map lacks.
        """
        present = [self.type_map[k] for k in np.unique(self.types)]
        if missing := [element for element in present if element not in type_map]:
            raise FramesError(
                f"{self.name}: has {', '.join(missing)}, which the type map {' '.join(type_map)} lacks; add it there"
            )
        new = np.array([type_map.index(e) if e in type_map else -1 for e in self.type_map], dtype=np.int64)
        return replace(self, type_map=tuple(type_map), types=new[self.types])
