"""Extrapolation grades in LAMMPS: those of Python, on any number of ranks, in the steps that ask for them."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from nvnmd.host import Potential, active_set_path, build_active_set

START = "units metal\nread_data start.data\npair_style nvnmd model.nvnmd\npair_coeff * * Ge Te\n"
RUN = "fix 1 all nve\ntimestep 0.002\n"
DUMP = "write_dump all custom {} id f_g modify sort id format float %.17g\n"


@pytest.fixture
def lammps(lammps_in, frame):
    """A folder with a model, its active set from shaken copies of the frame, and the frame."""
    lammps = lammps_in(frame)
    rng = np.random.default_rng(1)
    shaken = [(frame.positions + rng.normal(0, 0.1, (64, 3)), frame.cell, frame.types) for _ in range(3)]
    build_active_set(lammps.folder / "model.nvnmd", shaken, threads=1).save(lammps.folder / "model.gamma")
    return lammps


def grades(lammps, name: str):
    return np.loadtxt(lammps.folder / name, skiprows=9)[:, 1]


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_grades_are_those_of_python(lammps, frame, ranks):
    lammps.succeed(START + "fix g all pair 1 nvnmd gamma 1\nrun 0\n" + DUMP.format("g.dump"), ranks)
    expected = Potential(lammps.folder / "model.nvnmd").compute(frame.positions, frame.cell, frame.types, gamma=True)
    np.testing.assert_array_equal(grades(lammps, "g.dump"), expected.gamma)


def test_only_the_steps_asked_for_have_new_grades_and_compute_pair_the_largest(lammps):
    table = "compute p all pair nvnmd\nthermo_style custom step c_p[13]\nthermo 1\n"
    printed = lammps.succeed(START + RUN + "fix g all pair 3 nvnmd gamma 1\n" + table + "run 6\n" + DUMP.format("6"), 2)
    lines = [line.split() for line in printed.split("c_p[13]")[1].splitlines()[1:8]]
    largest = {int(step): float(value) for step, value in lines}
    assert largest[0] == largest[1] == largest[2]
    assert largest[3] == largest[4] == largest[5]
    assert len({largest[0], largest[3], largest[6]}) == 3
    assert largest[6] == pytest.approx(grades(lammps, "6").max(), rel=1e-6)


def test_asking_changes_no_trajectory(lammps):
    plain = lammps.after(START + RUN + "run 10\n", "plain")
    assert lammps.after(START + RUN + "fix g all pair 2 nvnmd gamma 1\nrun 10\n", "asked", 2) == plain


def test_grades_of_a_dump_that_is_run_again(lammps, frame):
    fly = RUN + "dump d all custom 5 run.dump id type x y z\ndump_modify d sort id format float %.17g\n"
    asked = "fix g all pair 5 nvnmd gamma 1\n"
    lammps.succeed(START + fly + asked + "run 10\n" + DUMP.format("live"))
    lammps.succeed(START + asked + "rerun run.dump dump x y z\n" + DUMP.format("again"))
    np.testing.assert_allclose(grades(lammps, "again"), grades(lammps, "live"), rtol=1e-6)


def test_atoms_of_another_style_have_no_grade(lammps, frame):
    hybrid = START.replace("nvnmd model.nvnmd\n", "hybrid/overlay nvnmd model.nvnmd zero 6.0\n")
    hybrid = hybrid.replace("* * Ge Te", "* * nvnmd Ge NULL\npair_coeff * * zero")
    lammps.succeed(hybrid + "fix g all pair 1 nvnmd gamma 1\nrun 0\n" + DUMP.format("g.dump"), 2)
    found = grades(lammps, "g.dump")
    assert (found[frame.types == 1] == 0).all()
    assert (found[frame.types == 0] > 0).all()


def test_the_file_may_stand_elsewhere_and_a_restart_remembers_it(lammps):
    (lammps.folder / "model.gamma").rename(lammps.folder / "other.gamma")
    start = START.replace("model.nvnmd\n", "model.nvnmd gamma other.gamma\n")
    lammps.succeed(start + "fix g all pair 1 nvnmd gamma 1\nrun 0\nwrite_restart r\n" + DUMP.format("first"))
    lammps.succeed("read_restart r\nfix g all pair 1 nvnmd gamma 1\nrun 0\n" + DUMP.format("again"), 2)
    np.testing.assert_allclose(grades(lammps, "again"), grades(lammps, "first"), rtol=1e-9)


def test_a_simulated_card_gives_grades_too(lammps):
    lammps.succeed(START + "fix g all pair 1 nvnmd gamma 1\nrun 0\n" + DUMP.format("cpu"))
    sim = START.replace("model.nvnmd\n", "model.nvnmd backend sim\n")
    lammps.succeed(sim + "fix g all pair 1 nvnmd gamma 1\nrun 0\n" + DUMP.format("sim"))
    np.testing.assert_array_equal(grades(lammps, "sim"), grades(lammps, "cpu"))


def asked_with(lammps, model: str) -> str:
    done = lammps.run(START.replace("model.nvnmd", model) + "fix g all pair 1 nvnmd gamma 1\nrun 0\n", ranks=2)
    assert done.returncode != 0
    return str(done.stdout + done.stderr)


def test_a_missing_or_foreign_active_set_is_one_sentence(lammps):
    from nvnmd.quantize.model_file import save_model
    from nvnmd.quantize.testing import random_model

    other = lammps.folder / "other.nvnmd"
    save_model(random_model(7), other)
    assert "Pair style nvnmd: other.gamma: no such active set; 'nvnmd gamma other.nvnmd" in asked_with(
        lammps, other.name
    )
    shutil.copy(lammps.folder / "model.gamma", active_set_path(other))
    assert "it belongs to another model than other.nvnmd; make it again" in asked_with(lammps, other.name)
    save_model(random_model(7, type_map=("Te", "Ge")), other)
    assert "is for the elements Ge Te, the model other.nvnmd has Te Ge" in asked_with(lammps, other.name)


def test_a_card_lets_the_cpu_compute_the_steps_with_grades(lammps, tmp_path: Path):
    """A card returns no activations; forces and grades have the same bits."""
    import subprocess
    import sys

    lammps.succeed(START + "fix g all pair 1 nvnmd gamma 1\nrun 0\n" + DUMP.format("cpu"))
    device = tmp_path / "card"
    command = [
        sys.executable,
        "-m",
        "nvnmd.host.fake_card",
        str(lammps.folder / "model.nvnmd"),
        "--device",
        str(device),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as card:
        try:
            assert card.stdout is not None
            assert "serving" in card.stdout.readline()
            start = START.replace("model.nvnmd\n", f"model.nvnmd backend xdma device {device}\n")
            lammps.succeed(start + "fix g all pair 1 nvnmd gamma 1\nrun 0\n" + DUMP.format("card"))
        finally:
            card.kill()
    np.testing.assert_array_equal(grades(lammps, "card"), grades(lammps, "cpu"))
