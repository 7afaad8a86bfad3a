"""Model deviation against what DeePMD-kit 3.2.0 made of the same numbers."""

import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from nvnmd.training.deviation import DeviationError, deviation, deviation_text, trust_levels
from nvnmd.training.evaluation import Predicted
from nvnmd.training.system import FramesError
from nvnmd.training.trajectory import read_trajectory

# write_model_devi_out of calc_model_devi_v, _f and _e
WRITTEN = """\
# name
# step      max_devi_v         min_devi_v         avg_devi_v         max_devi_f         min_devi_f         avg_devi_f         devi_e
           0       2.080435e-01       3.880737e-02       1.185065e-01       1.681961e+00       1.215339e+00       1.390545e+00       2.770059e-01
           1       2.209236e-01       3.879705e-02       1.356334e-01       1.733906e+00       9.608577e-01       1.468329e+00       7.197000e-02
"""  # noqa: E501
RELATIVE = [
    [0.9492998026225435, 2.108262237165356],
    [0.6632492526283407, 0.8025764576030949],
    [0.7965073417208848, 1.3379631396733962],
]


def committee():
    """Three models, two frames, five atoms."""
    rng = np.random.default_rng(4)
    energies, forces, virials = (rng.normal(size=s) for s in ((3, 2, 1), (3, 2, 5, 3), (3, 2, 9)))
    return [Predicted(e[:, 0], f, v.reshape(2, 3, 3)) for e, f, v in zip(energies, forces, virials, strict=True)]


def test_the_file_is_deepmd_kits():
    lines = deviation_text("name", deviation(committee())).splitlines()
    assert [line.rstrip() for line in lines] == WRITTEN.splitlines()


def test_relative_deviation_is_deepmd_kits():
    largest, smallest, mean = deviation(committee(), relative=0.5).columns()[:, 3:6].T.tolist()
    assert [largest, smallest, mean] == [pytest.approx(row) for row in RELATIVE]


def test_atoms_and_steps_are_written():
    found = deviation(committee())
    rows = np.loadtxt(deviation_text("name", found, every=20, atomic=True).splitlines())
    assert rows[:, 0].tolist() == [0, 20]
    assert rows[:, 8:] == pytest.approx(found.force, rel=1e-6)


def test_equal_models_do_not_differ():
    found = deviation([committee()[0]] * 2)
    assert not found.columns().any()


def test_trust_levels_count_frames():
    found = deviation(committee())
    largest = found.force.max(axis=1)
    assert trust_levels([found, found], 0.1, 1.7) == {"accurate": 0, "candidate": 2, "failed": 2}
    assert trust_levels([found], largest[0], largest[1]) == {"accurate": 0, "candidate": 1, "failed": 1}
    with pytest.raises(DeviationError, match="must be below"):
        trust_levels([found], 0.3, 0.3)


def test_one_model_is_no_committee():
    with pytest.raises(DeviationError, match="two models"):
        deviation(committee()[:1])


def frames(symbols="GeTe", count=3, pbc=True):
    cell = [6.0, 6.0, 6.0]
    return [Atoms(symbols, [[0.1 * k, 0, 0], [2.5, 0, 0]], cell=cell, pbc=pbc) for k in range(count)]


def test_a_trajectory_is_grouped_by_atoms(tmp_path):
    write(tmp_path / "run.extxyz", [*frames(), *frames("Te2", 2)])
    systems = read_trajectory(tmp_path / "run.extxyz", ["Te", "Ge"])
    assert [(s.name, s.n_frames, s.symbols) for s in systems] == [
        ("run.extxyz[0:]", 3, ["Ge", "Te"]),
        ("run.extxyz[3:]", 2, ["Te", "Te"]),
    ]
    assert systems[0].types.tolist() == [1, 0]
    assert systems[0].positions[2, 0, 0] == pytest.approx(0.2)
    assert systems[0].cells[0].diagonal().tolist() == [6.0, 6.0, 6.0]


DUMP = """\
ITEM: TIMESTEP
{step}
ITEM: NUMBER OF ATOMS
2
ITEM: BOX BOUNDS pp pp pp
0.0 6.0
0.0 6.0
0.0 7.0
ITEM: ATOMS id type x y z
2 1 2.5 0.0 0.0
1 2 0.{step} 0.0 0.0
"""


def test_types_of_a_lammps_dump_count_through_the_type_map(tmp_path):
    (tmp_path / "run.lammpstrj").write_text(DUMP.format(step=0) + DUMP.format(step=5))
    (system,) = read_trajectory(tmp_path / "run.lammpstrj", ["Ge", "Te"])
    assert system.symbols == ["Te", "Ge"]
    assert system.positions[:, 0, 0] == pytest.approx([0.0, 0.5])
    assert system.cells[0, 2, 2] == pytest.approx(7.0)


@pytest.mark.parametrize(
    ("content", "words"),
    [(frames("SbTe"), "holds Sb"), (frames(pbc=[True, True, False]), "three vectors or none")],
)
def test_frames_that_a_model_cannot_run_are_refused(tmp_path, content, words):
    write(tmp_path / "run.extxyz", content)
    with pytest.raises(FramesError, match=words):
        read_trajectory(tmp_path / "run.extxyz", ["Ge", "Te"])


def test_files_that_are_no_trajectory_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(FramesError, match="ASE cannot read it"):
        read_trajectory(tmp_path / "notes.txt", ["Ge", "Te"])
