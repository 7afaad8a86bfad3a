"""ASE calculator of the float model."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from ase.calculators.calculator import Calculator, all_changes

from nvnmd.training.data import DataError
from nvnmd.training.model import DeepPot
from nvnmd.training.model_file import load_model
from nvnmd.training.prepare import prepare_frame


class DeepPotCalculator(Calculator):  # type: ignore[misc]
    """Energy (eV), forces (eV/angstrom) and stress (eV/angstrom^3, ASE's sign and Voigt order) of a float model.

    Args:
        model: a model or the path of a float model file.

    Raises:
        DataError: atoms are periodic along some vectors only, or have an element the model does not know.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "energies", "forces", "stress"]

    def __init__(self, model: DeepPot | str | Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = model if isinstance(model, DeepPot) else load_model(Path(model))

    def calculate(self, atoms: Any = None, properties: Any = ("energy",), system_changes: Any = all_changes) -> None:
        """Fill `results`; called by ASE."""
        super().calculate(atoms, properties, system_changes)
        names, type_map = self.atoms.get_chemical_symbols(), self.model.shape.type_map
        unknown = sorted(set(names) - set(type_map))
        if unknown:
            raise DataError(f"element {unknown[0]} is not in the model's type map {list(type_map)}")
        if self.atoms.pbc.any() != self.atoms.pbc.all():
            raise DataError("atoms must be periodic along all three vectors or none; set atoms.pbc")
        types = np.array([type_map.index(name) for name in names], dtype=np.int64)
        periodic = bool(self.atoms.pbc.all())
        parameter = next(self.model.parameters())
        batch = prepare_frame(
            self.atoms.positions, self.atoms.cell.array, types, self.model.cutoffs(), periodic, dtype=parameter.dtype
        )
        with torch.no_grad():
            out = self.model(batch.to(parameter.device))
        order = batch.order.numpy()
        energies, forces = np.empty(len(types)), np.empty((len(types), 3))
        shifts = self.model.energy_shifts[types]
        energies[order] = out.atomic.cpu().double().numpy()
        forces[order] = out.forces.cpu().double().numpy().T
        total = float(out.energies.double().item() + shifts.sum())
        self.results = {"energy": total, "free_energy": total, "energies": energies + shifts, "forces": forces}
        if periodic:
            stress = -out.virials[0].cpu().double().numpy() / self.atoms.get_volume()
            self.results["stress"] = (0.5 * (stress + stress.T)).flat[[0, 4, 8, 5, 2, 1]]
