"""pair_style nvnmd against stored numbers of the float potential, as LAMMPS tests its own force styles."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

DATA = Path(__file__).parents[1] / "data" / "force_style"
REFERENCE = yaml.safe_load((DATA / "reference.yaml").read_text())
INPUT = """\
units metal
newton {newton}
read_data start.data
pair_style nvnmd model.nvnmd kernel {kernel}
pair_coeff * * Ge Te
compute p all pressure NULL pair
fix 1 all nve
timestep {timestep}
thermo_style custom step pe vol c_p[*]
thermo_modify format float %.15g
thermo {steps}
neigh_modify every 1 delay 0 check yes
dump d all custom {steps} forces id fx fy fz
dump_modify d sort id format float %.15g
run {steps}
"""
BAR_PER_EV_A3 = 1.6021765e6
# What quantization of this potential costs; measured: 1.6e-4 eV/atom, 0.009 eV of the virial, 0.0020 eV/angstrom.
ENERGY_EV_PER_ATOM, VIRIAL_EV, FORCE_EV_PER_A = 2.5e-4, 0.02, 0.003


@pytest.fixture
def lammps(lammps_in, frame):
    folder = lammps_in(frame)
    for name in ("model.nvnmd", "start.data"):
        shutil.copy(DATA / name, folder.folder / name)
    return folder


def numbers(text):
    """Forces [n_atoms, 3] of a text that begins each line with an atom ID."""
    return np.array([[float(word) for word in line.split()[1:]] for line in text.strip().splitlines()])


@pytest.mark.parametrize(("ranks", "newton", "kernel"), [(1, "on", "auto"), (1, "off", "portable"), (4, "on", "auto")])
def test_energy_virial_and_forces_are_the_float_models(lammps, ranks, newton, kernel):
    steps, atoms = REFERENCE["steps"], REFERENCE["natoms"]
    text = INPUT.format(newton=newton, kernel=kernel, steps=steps, timestep=REFERENCE["timestep_ps"])
    rows = [line.split() for line in lammps.succeed(text, ranks).splitlines()]
    thermo = {
        row[0]: [float(word) for word in row[1:]] for row in rows if len(row) == 9 and row[0] in ("0", str(steps))
    }
    blocks = (lammps.folder / "forces").read_text().split("ITEM: ATOMS")[1:]
    for step, name, block in (("0", "init", blocks[0]), (str(steps), "run", blocks[1])):
        energy, volume, *pressure = thermo[step]
        virial = np.array(pressure) * volume / BAR_PER_EV_A3
        wanted = np.array([float(word) for word in REFERENCE[f"{name}_stress"].split()])
        forces = numbers(block.split("ITEM:")[0].split("\n", 1)[1])
        expected = numbers(REFERENCE[f"{name}_forces"])
        assert abs(energy - REFERENCE[f"{name}_vdwl"]) < ENERGY_EV_PER_ATOM * atoms
        assert np.abs(virial - wanted).max() < VIRIAL_EV
        assert np.abs(forces - expected).max() < FORCE_EV_PER_A
        assert np.abs(expected).max() > 1.0
