"""Cheap teachers, structures and settings for the tests of the data engine."""

import os
import sys
import time
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.morse import MorsePotential

HERE = Path(__file__).parent
MORSE = {"epsilon": 0.3, "r0": 2.8, "rho0": 4.0, "rcut1": 4.0, "rcut2": 4.8}
HARTREE_EV, BOHR_A = 27.211386245988, 0.529177210903


def structure(seed: int = 0, shake: float = 0.1) -> Atoms:
    """Eight atoms of rocksalt-like GeTe, displaced."""
    face = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    positions = 6.0 * np.vstack([face, face + 0.5])
    positions += np.random.default_rng(seed).normal(0, shake, positions.shape)
    return Atoms("Ge4Te4", positions=positions, cell=[6.0] * 3, pbc=True)


class Teacher(Calculator):
    """Morse in other units where asked for; or one that dawdles, breaks down, dies, or fills the disk."""

    implemented_properties = ("energy", "forces", "stress")

    def __init__(self, log="", wait_s=0.0, energy=1.0, force=1.0, fault=""):
        super().__init__()
        self.log, self.wait_s, self.factors, self.fault = log, wait_s, (energy, force), fault
        self._morse = MorsePotential(**MORSE)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        if self.log:
            with Path(self.log).open("a") as file:
                file.write(f"{os.getpid()} {atoms.positions[0, 0]:.6f}\n")
        time.sleep(self.wait_s)
        if self.fault == "disk":
            raise OSError(28, "No space left on device")
        if self.fault == "die":
            os._exit(9)
        if self.fault == "raise":
            raise RuntimeError("the self-consistent field walked away")
        found = atoms.copy()
        found.calc = self._morse
        self.results = {
            "energy": self.factors[0] * found.get_potential_energy(),
            "forces": self.factors[1] * found.get_forces(),
            "stress": found.get_stress(),
        }
        if self.fault == "nan":
            self.results["forces"][2, 1] = np.nan


def importable(monkeypatch) -> str:
    """Make this module known to worker processes; the name of the teacher's factory."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]))
    if str(HERE) not in sys.path:
        monkeypatch.syspath_prepend(str(HERE))
    return "toys:Teacher"
