"""The figures of `dp test`: by hand, and against what `dp test` of DeePMD-kit 3.2.0 printed."""

from pathlib import Path

import frame_writers as w
import numpy as np
import pytest

from nvnmd.training.deepmd.convert import convert
from nvnmd.training.dp_measures import dp_measures, dp_report
from nvnmd.training.evaluation import Evaluated, Predicted
from nvnmd.training.frames import load_systems
from nvnmd.training.metrics import predict

ROOT = Path(__file__).parents[3]

# dp test -m tests/data/deepmd_files/pairs.pb -s data/gete-cp2k/validation -n 10000
PRINTED = """\
Energy MAE         : 6.882066e+00 eV
Energy RMSE        : 7.849445e+00 eV
Energy MAE/Natoms  : 1.075323e-01 eV
Energy RMSE/Natoms : 1.226476e-01 eV
Force  MAE         : 3.014285e-01 eV/Å
Force  RMSE        : 4.021584e-01 eV/Å
Virial MAE         : 1.188503e+01 eV
Virial RMSE        : 1.887711e+01 eV
Virial MAE/Natoms  : 1.857037e-01 eV
Virial RMSE/Natoms : 2.949548e-01 eV
Stress MAE         : 6.419172e-03 eV/Å³
Stress RMSE        : 1.014987e-02 eV/Å³
"""


def test_the_lines_are_those_of_dp_test():
    system = load_systems(ROOT / "data/gete-cp2k/validation", ["Ge", "Te"])[0]
    model = convert(ROOT / "tests/data/deepmd_files/pairs.pb")
    lines = dp_report([Evaluated(system, predict(model, system))]).splitlines()[2:]
    assert [line.split() for line in lines] == [line.split() for line in PRINTED.splitlines()]


def test_several_systems_weigh_by_what_is_compared():
    one, two = w.small_system(3), w.small_system(1, seed=1, virial=False)

    def off(system, by):
        virials = np.zeros((system.n_frames, 3, 3)) if system.virials is None else system.virials
        return Evaluated(system, Predicted(system.energies + by, system.forces + by, virials + by))

    found = dp_measures([off(one, 1.0), off(two, 5.0)])
    assert found["Energy MAE"] == pytest.approx(2.0)
    assert found["Energy RMSE"] == pytest.approx(np.sqrt((3 + 25) / 4))
    assert found["Energy MAE/Natoms"] == pytest.approx(2.0 / one.n_atoms)
    assert found["Force MAE"] == pytest.approx(2.0)
    assert found["Virial RMSE"] == pytest.approx(1.0)
    assert "# number of systems : 2" in dp_report([off(one, 1.0), off(two, 5.0)])


def test_virials_are_left_out_without_labels():
    system = w.small_system(virial=False)
    perfect = Predicted(system.energies, system.forces, np.zeros((system.n_frames, 3, 3)))
    found = dp_measures([Evaluated(system, perfect)])
    assert not any(name.startswith(("Virial", "Stress")) for name in found)
