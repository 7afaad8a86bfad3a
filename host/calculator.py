"""The integer model as an ASE calculator."""

from __future__ import annotations

from os import PathLike
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.data import chemical_symbols
from numpy.typing import NDArray

from nvnmd.host.card import CardOptions
from nvnmd.host.potential import Potential

VOIGT = ((0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1))
"""Rows and columns of xx, yy, zz, yz, xz, xy."""


class NvnmdCalculator(Calculator):  # type: ignore[misc]
    """ASE calculator of a model file: energy (eV), energies, forces (eV/Å), stress and stresses (eV/Å³, Voigt order).

    Args:
        path: model file (``*.nvnmd``); elements are matched by symbol.
        kernel, threads, skin_A, card, active_set: as in ``Potential``.
        gamma: add ``results["gamma"]``, the extrapolation grade of every atom, to each calculation.

    After each calculation, ``clipped`` holds the number of saturated words per stage; nonzero counts mean that the
    structure leaves the range the model was made for.

    Raises:
        Error: a bad model file, unknown elements, atoms too close, or too many neighbors.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "energies", "forces", "stress", "stresses"]

    def __init__(
        self,
        path: str | PathLike[str],
        kernel: str = "auto",
        threads: int | None = None,
        skin_A: float = 0.5,
        card: CardOptions | None = None,
        active_set: str | PathLike[str] | None = None,
        gamma: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.potential = Potential(path, kernel, threads, skin_A, card, active_set)
        self.gamma = gamma
        self.clipped: dict[str, int] = {}
        # By atomic number, -1 for elements that the model does not know: much faster than symbols.
        self._types = np.full(len(chemical_symbols), -1, np.int64)
        known = {symbol: number for number, symbol in enumerate(chemical_symbols)}
        for number, symbol in enumerate(self.potential.type_map):
            if symbol in known:
                self._types[known[symbol]] = number

    def check_state(self, atoms: Atoms, tol: float = 0.0) -> list[str]:
        """Return what has changed since the last calculation, of what the energy depends on; exactly, and quickly."""
        if self.atoms is None:
            return list(all_changes)
        pairs = [(name, getattr(atoms, name), getattr(self.atoms, name)) for name in ("positions", "numbers", "pbc")]
        pairs.append(("cell", atoms.cell.array, self.atoms.cell.array))
        return [name for name, new, old in pairs if not np.array_equal(new, old)]

    def calculate(
        self, atoms: Atoms | None = None, properties: list[str] | None = None, system_changes: list[str] = all_changes
    ) -> None:
        """Evaluate all properties of ``atoms`` into ``results``; per-atom stresses only on request."""
        super().calculate(atoms, properties, system_changes)
        wanted = properties or ["energy"]
        result = self.potential.compute(
            self.atoms.positions,
            self.atoms.cell.array,
            self._types_of_atoms(),
            periodic=self.atoms.pbc,
            atom_virials="stresses" in wanted,
            gamma=self.gamma,
        )
        self.clipped = result.clipped
        self.results = {
            "energy": result.energy,
            "free_energy": result.energy,
            "energies": result.atom_energies,
            "forces": result.forces,
        }
        if result.gamma is not None:
            self.results["gamma"] = result.gamma
        volume = abs(float(np.linalg.det(self.atoms.cell.array)))
        if volume > 0.0:
            self.results["stress"] = _stress(result.virial, volume)
            if result.atom_virials is not None:
                self.results["stresses"] = _stress(result.atom_virials, volume)

    def _types_of_atoms(self) -> NDArray[np.int64]:
        types = self._types[self.atoms.numbers]
        return self.potential.types_of(self.atoms.get_chemical_symbols()) if (types < 0).any() else types


def _stress(virial: Any, volume_A3: float) -> Any:
    """Return ``-virial / volume`` as symmetric Voigt vectors; the model's virial is symmetric up to rounding."""
    stress = virial * (-1.0 / volume_A3)
    return (stress[..., VOIGT[0], VOIGT[1]] + stress[..., VOIGT[1], VOIGT[0]]) / 2
