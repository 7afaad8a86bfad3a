"""The integer model as an ASE calculator."""

from __future__ import annotations

from os import PathLike
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from nvnmd.host.potential import Potential


class NvnmdCalculator(Calculator):  # type: ignore[misc]
    """ASE calculator of a model file: energy (eV), energies, forces (eV/Å), stress and stresses (eV/Å³, Voigt order).

    Args:
        path: model file (``*.nvnmd``); elements are matched by symbol.
        kernel, threads, skin_A: as in ``Potential``.

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
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.potential = Potential(path, kernel, threads, skin_A)
        self.clipped: dict[str, int] = {}

    def calculate(
        self, atoms: Atoms | None = None, properties: list[str] | None = None, system_changes: list[str] = all_changes
    ) -> None:
        """Evaluate all properties of ``atoms`` into ``results``; per-atom stresses only on request."""
        super().calculate(atoms, properties, system_changes)
        wanted = properties or ["energy"]
        result = self.potential.compute(
            self.atoms.positions,
            self.atoms.cell.array,
            self.atoms.get_chemical_symbols(),
            periodic=self.atoms.pbc,
            atom_virials="stresses" in wanted,
        )
        self.clipped = result.clipped
        self.results = {
            "energy": result.energy,
            "free_energy": result.energy,
            "energies": result.atom_energies,
            "forces": result.forces,
        }
        if self.atoms.cell.rank == 3:
            volume = self.atoms.get_volume()
            self.results["stress"] = _stress(result.virial, volume)
            if result.atom_virials is not None:
                self.results["stresses"] = _stress(result.atom_virials, volume)


def _stress(virial: Any, volume_A3: float) -> Any:
    """Return ``-virial / volume`` as symmetric Voigt vectors; the model's virial is symmetric up to rounding."""
    symmetric = (virial + np.swapaxes(virial, -1, -2)) / 2
    return full_3x3_to_voigt_6_stress(-symmetric / volume_A3)
