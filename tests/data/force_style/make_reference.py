"""Makes model.nvnmd, start.data and reference.yaml, see README.md: a small potential and what its float form gives.

    python tests/data/force_style/make_reference.py

The potential is trained for a moment on shipped DFT frames, evaluated in double precision with tables and integers left
out, and quantized. So reference.yaml knows nothing of the integer model that it judges.
"""

import itertools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from ase import Atoms, units
from ase.md.verlet import VelocityVerlet

from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.ptq import quantize_model
from nvnmd.training.ase_calculator import DeepPotCalculator
from nvnmd.training.build import build_model, center_energies
from nvnmd.training.frames import load_systems
from nvnmd.training.settings import parse_settings
from nvnmd.training.setup import build_trainer, prepare_data

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "data" / "gete-cp2k"
STEPS, STEP_PS, MASSES = 20, 0.002, {"Ge": 72.63, "Te": 127.6}
SETTINGS = {
    "model": {
        "type_map": ["Ge", "Te"],
        "descriptor": {"rcut": 6.0, "rcut_smth": 2.0, "neuron": [4, 8], "axis_neuron": 2, "seed": 1},
        "fitting_net": {"neuron": [16, 16], "seed": 1},
    },
    "learning_rate": {"start_lr": 0.005, "stop_lr": 1e-5},
    "loss": {"start_pref_v": 0.02, "limit_pref_v": 1.0},
    "training": {
        "training_data": {"systems": [str(DATA / "crystal"), str(DATA / "liquid")], "batch_size": 1},
        "numb_steps": 2000,
        "seed": 1,
    },
}


def trained() -> tuple[Any, Any]:
    """The float potential in double precision, and its integer model."""
    settings, _ = parse_settings(SETTINGS)
    data = prepare_data(load_systems(settings.training.training_data.systems, ["Ge", "Te"]))
    potential = build_model(settings, data.train, data.model_shifts)
    with tempfile.TemporaryDirectory() as folder:
        trainer = build_trainer(potential, settings, data, Path(folder))
        center_energies(potential, trainer.frames)
        trainer.run()
    return potential.double(), quantize_model(potential, data.train, provenance={"source": "force-style reference"})


def start() -> Atoms:
    """The first liquid frame in LAMMPS's orientation, at 600 K."""
    (system,) = load_systems([str(DATA / "liquid")], ["Ge", "Te"])
    symbols = [("Ge", "Te")[t] for t in system.types]
    atoms = Atoms(symbols, system.positions[0], cell=system.cells[0], pbc=True)
    assert np.allclose(atoms.cell.array, np.diag(np.diag(atoms.cell.array)))
    atoms.wrap()
    atoms.set_masses([MASSES[s] for s in symbols])
    rng = np.random.default_rng(3)
    velocities = rng.normal(size=(len(atoms), 3)) * np.sqrt(600 * units.kB / atoms.get_masses())[:, None]
    atoms.set_velocities(velocities - (velocities * atoms.get_masses()[:, None]).sum(axis=0) / atoms.get_masses().sum())
    return atoms


def write_start(atoms: Atoms) -> None:
    """start.data, with every double exact."""
    lines = ["64 atoms of liquid GeTe", "", f"{len(atoms)} atoms", "2 atom types", ""]
    lines += [f"0 {edge!s} {a}lo {a}hi" for a, edge in zip("xyz", np.diag(atoms.cell.array), strict=True)]
    lines += ["", "Masses", "", *(f"{t + 1} {MASSES[s]}" for t, s in enumerate(MASSES)), "", "Atoms # atomic", ""]
    kinds = [list(MASSES).index(s) + 1 for s in atoms.get_chemical_symbols()]
    rows = enumerate(zip(kinds, atoms.positions, strict=True), 1)
    lines += [f"{i} {t} {x!s} {y!s} {z!s}" for i, (t, (x, y, z)) in rows]
    lines += ["", "Velocities", ""]
    velocities = atoms.get_velocities() * 1e3 * units.fs  # angstrom/ps
    lines += [f"{i} {x!s} {y!s} {z!s}" for i, (x, y, z) in enumerate(velocities, 1)]
    (HERE / "start.data").write_text("\n".join(lines) + "\n")


def state(atoms: Atoms, prefix: str) -> dict[str, Any]:
    """Energy (eV), virial (eV; xx yy zz xy xz yz) and forces (eV/angstrom), under the names of LAMMPS's own files."""
    virial = -atoms.get_stress(voigt=False) * atoms.get_volume()
    pairs = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]
    forces = itertools.count(1)
    return {
        f"{prefix}_vdwl": round(float(atoms.get_potential_energy()), 8),
        f"{prefix}_stress": " ".join(f"{virial[p]:.8f}" for p in pairs),
        f"{prefix}_forces": "\n".join(
            f"{next(forces)} " + " ".join(f"{f:.9f}" for f in row) for row in atoms.get_forces()
        ),
    }


def main() -> None:
    """Train, evaluate, write."""
    potential, model = trained()
    save_model(model, HERE / "model.nvnmd")
    atoms = start()
    write_start(atoms)
    atoms.calc = DeepPotCalculator(potential)
    record = {"natoms": len(atoms), "steps": STEPS, "timestep_ps": STEP_PS, **state(atoms, "init")}
    VelocityVerlet(atoms, STEP_PS * 1e3 * units.fs).run(STEPS)
    record |= state(atoms, "run")

    class Block(yaml.SafeDumper):
        """Texts of several lines as blocks."""

    Block.add_representer(str, lambda d, s: d.represent_scalar("tag:yaml.org,2002:str", s, "|" if "\n" in s else None))
    (HERE / "reference.yaml").write_text(yaml.dump(record, Dumper=Block, sort_keys=False, width=200))


if __name__ == "__main__":
    main()
