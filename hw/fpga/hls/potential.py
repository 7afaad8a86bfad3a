"""The C simulation of an HLS project as a potential: frames in, forces out, the bits of every other backend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from nvnmd.fpga.hls.csim import Csim, open_csim
from nvnmd.fpga.hls.errors import HlsError
from nvnmd.fpga.stream import Status
from nvnmd.quantize.fixed import STAGES, rnd
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.model_file import load_model
from nvnmd.quantize.packing import FrameResult, pack_frame


def compute_frame(
    backend: tuple[Csim, IntegerModel], positions: Any, cell: Any, types: Any, periodic: bool = True
) -> FrameResult:
    """Evaluate a frame with ``(simulation, model)``: section 2, the project's packets, section 8.

    Args:
        backend: an open ``Csim`` and the model it holds.
        positions: [n_atoms, 3], Å.
        cell: [3, 3], Å, rows are vectors.
        types: [n_atoms].
        periodic: along all three vectors, or not at all.

    Raises:
        HlsError: an answer with an error, or atoms that are too close.
    """
    simulation, model = backend
    f, words = model.formats, pack_frame(model, positions, cell, types, periodic)
    n = len(words.types)
    energy, force, virial = np.zeros(n, np.int64), np.zeros((n, 3), np.int64), np.zeros((n, 3, 3), np.int64)
    clipped, too_close = dict.fromkeys(STAGES, 0), 0
    for i, answer in enumerate(simulation.evaluate(list(words.atoms()))):
        if answer.status is not Status.OK:
            raise HlsError(f"atom {i}: the project answers {answer.status.name}; was another model loaded?")
        span = slice(words.first[i], words.first[i + 1])
        energy[i] = answer.energy
        force[i] += answer.force.sum(axis=0)
        np.subtract.at(force, words.neighbor[span], answer.force)
        product = words.displacement[span][:, :, None] * answer.force[:, None, :]
        np.subtract.at(virial, words.neighbor[span], rnd(product, f.dx_frac + f.f_frac - f.w_frac))
        clipped = {stage: clipped[stage] + answer.counts[stage] for stage in STAGES}
        too_close += answer.counts["too close"]
    if too_close:
        raise HlsError(f"{too_close} neighbors are closer than the tables of the model begin")
    return FrameResult(energy, force, virial, clipped, too_close)


class HlsCalculator(Calculator):  # type: ignore[misc]
    """ASE calculator on the C simulation of a project: energy (eV), energies, forces (eV/Å), stress (eV/Å³, Voigt).

    For a few steps: an atom takes milliseconds.

    Args:
        model_file: model (``*.nvnmd``), loaded into the project's ports.
        project: folder of the project; compiled when it is not yet.

    Raises:
        HlsError: no project, no compiler, or a model that does not fit.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "energies", "forces", "stress"]

    def __init__(self, model_file: str | Path, project: str | Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = load_model(model_file)
        self.simulation = open_csim(Path(project), self.model)
        self.clipped: dict[str, int] = {}

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Evaluate ``atoms``; ASE calls this."""
        super().calculate(atoms, list(properties), list(system_changes))
        frame, f = self.atoms, self.model.formats
        if bool(frame.pbc.any()) != bool(frame.pbc.all()):
            raise HlsError("the cell must be periodic in all directions or in none")
        symbols = frame.get_chemical_symbols()
        if unknown := sorted(set(symbols) - set(self.model.type_map)):
            raise HlsError(f"the model has no element {', '.join(unknown)}; it knows {', '.join(self.model.type_map)}")
        types = [self.model.type_map.index(symbol) for symbol in symbols]
        found = compute_frame(
            (self.simulation, self.model), frame.positions, frame.cell.array, types, bool(frame.pbc.all())
        )
        energies = found.atom_energy * 2.0**-f.e_frac
        self.clipped = found.clipped
        self.results = {
            "energy": float(energies.sum()),
            "free_energy": float(energies.sum()),
            "energies": energies,
            "forces": found.force * 2.0**-f.f_frac,
        }
        if frame.pbc.all():
            virial = found.atom_virial.sum(axis=0) * 2.0**-f.w_frac
            stress = -(virial + virial.T) / 2 / frame.get_volume()
            self.results["stress"] = stress[(0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1)]
