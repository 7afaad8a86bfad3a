"""Several models in one pair_style: the deviation file that users of DeePMD-kit know, with the numbers of Python."""

from pathlib import Path

import numpy as np
import pytest

from nvnmd.host import NvnmdCalculator
from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.testing import random_model
from nvnmd.training.committee import CommitteeCalculator
from nvnmd.training.deviation import deviation

START = "units metal\nread_data start.data\npair_style nvnmd model.nvnmd b.nvnmd c.nvnmd {}\npair_coeff * * Ge Te\n"
RUN = "fix 1 all nve\ntimestep 0.002\n"
COLUMNS = "step max_devi_v min_devi_v avg_devi_v max_devi_f min_devi_f avg_devi_f"


@pytest.fixture(scope="module")
def members():
    """A model of other weights, and one that knows the elements in another order and one more."""
    return [random_model(11), random_model(12, type_map=("Te", "Sb", "Ge"))]


@pytest.fixture
def lammps(lammps_in, frame, members):
    lammps = lammps_in(frame)
    for name, member in zip("bc", members, strict=True):
        save_model(member, lammps.folder / f"{name}.nvnmd")
    return lammps


def committee(lammps, frame, relative: float | None = None):
    """Python's deviation of the frame, and the atoms' forces of the first model."""
    from ase import Atoms

    atoms = Atoms([("Ge", "Te")[t] for t in frame.types], frame.positions, cell=frame.cell, pbc=True)
    calculators = [NvnmdCalculator(lammps.folder / name) for name in ("model.nvnmd", "b.nvnmd", "c.nvnmd")]
    together = CommitteeCalculator(calculators)
    together.calculate(atoms)
    return deviation([together._predicted(c.results) for c in calculators], relative)


@pytest.mark.parametrize("newton", ["on", "off"])
def test_numbers_are_those_of_python_on_any_number_of_ranks(lammps, frame, newton):
    texts = {}
    for ranks in (1, 2, 4):
        lammps.succeed(f"newton {newton}\n" + START.format("out_freq 2 atomic") + RUN + "run 4\n", ranks)
        texts[ranks] = (lammps.folder / "model_devi.out").read_text()
    assert texts[1] == texts[2] == texts[4]
    header, *lines = texts[1].splitlines()
    assert header.split() == ["#", *COLUMNS.split(), "atm_devi_f(N)"]
    assert [int(line.split()[0]) for line in lines] == [0, 2, 4]
    row = np.array(lines[0].split()[1:], float)
    expected = committee(lammps, frame)
    np.testing.assert_allclose(row[3:6], expected.columns()[0, 3:6], rtol=1e-6)
    np.testing.assert_allclose(row[6:], expected.force[0], rtol=1e-6)
    # ASE keeps the symmetric part of the virial only, which differs from the nine components by rounding.
    np.testing.assert_allclose(row[[0, 2]], expected.columns()[0, [0, 2]], rtol=1e-4)


def test_the_form_is_that_of_deepmd_kit(lammps):
    """Columns 12 and 19 wide; read as people read it."""
    lammps.succeed(START.format("out_file devi.txt out_freq 5") + RUN + "run 5\n")
    lines = (lammps.folder / "devi.txt").read_text().splitlines()
    assert lines[0] == "#" + f"{'step':>11}" + "".join(f"{name:>19}" for name in COLUMNS.split()[1:])
    assert {len(line) for line in lines} == {12 + 6 * 19}
    table = np.genfromtxt(lammps.folder / "devi.txt", names=True)
    assert table.dtype.names == tuple(COLUMNS.split())
    assert (table["max_devi_f"] >= table["avg_devi_f"]).all()
    assert (table["avg_devi_f"] >= table["min_devi_f"]).all()


def test_relative_deviations(lammps, frame):
    lammps.succeed(START.format("relative 0.5") + "run 0\n", 2)
    row = np.loadtxt(lammps.folder / "model_devi.out")
    np.testing.assert_allclose(row[4:], committee(lammps, frame, 0.5).columns()[0, 3:6], rtol=1e-6)


def test_the_first_model_moves_the_atoms(lammps):
    alone = START.replace(" b.nvnmd c.nvnmd {}", "")
    plain = lammps.after(alone + RUN + "run 10\n", "plain")
    assert lammps.after(START.format("out_freq 3") + RUN + "run 10\n", "three", 2) == plain


def test_models_of_equal_bits_do_not_differ(lammps):
    (lammps.folder / "b.nvnmd").write_bytes((lammps.folder / "model.nvnmd").read_bytes())
    lammps.succeed(START.replace("c.nvnmd ", "").format("") + "run 0\n", 2)
    assert not np.loadtxt(lammps.folder / "model_devi.out").any()


def test_compute_pair_has_the_largest_and_atoms_of_other_styles_do_not_count(lammps, frame):
    hybrid = START.format("").replace("style nvnmd", "style hybrid/overlay zero 6.0 nvnmd")
    hybrid = hybrid.replace("* * Ge Te", "* * zero\npair_coeff * * nvnmd Ge NULL")
    table = "compute p all pair nvnmd\nthermo_style custom step c_p[14]\n"
    printed = lammps.succeed(hybrid + table + "run 0\n", 2)
    row = np.loadtxt(lammps.folder / "model_devi.out")
    assert float(printed.split("c_p[14]")[1].split()[1]) == pytest.approx(row[4], rel=1e-6)
    assert row[5] > 0


def test_a_restart_goes_on_with_the_file(lammps):
    whole = START.format("out_freq 2") + RUN + "run 2\n"
    lammps.succeed(whole + "run 2\n")
    expected = (lammps.folder / "model_devi.out").read_text()
    lammps.succeed(whole + "write_restart half\n")
    lammps.succeed("read_restart half\nfix 1 all nve\nrun 2\n", 2)
    assert (lammps.folder / "model_devi.out").read_text() == expected


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            "model.nvnmd other.nvnmd",
            "other.nvnmd: the model has no element Te; it knows Ge, Sb; all models of a committee",
        ),
        ("model.nvnmd b.nvnmd out_freq 0", "out_freq must be 1 or more steps, not 0; for no deviations name one model"),
        ("model.nvnmd b.nvnmd out_freq -5", "out_freq must be 1 or more steps, not -5"),
        ("model.nvnmd b.nvnmd relative 0", "relative must be above 0 eV/A"),
        (
            "model.nvnmd b.nvnmd out_file nowhere/x",
            "nowhere/x, the file of model deviations, cannot be written (No such",
        ),
        ("model.nvnmd b.nvnmd out_file", "keyword out_file has no value"),
        ("model.nvnmd atomic", "keyword atomic is for several models; name more than one *.nvnmd file"),
        ("model.nvnmd missing.nvnmd", "missing.nvnmd: no such model file"),
    ],
)
def test_wrong_input_is_one_sentence(lammps, words, sentence):
    save_model(random_model(1, type_map=("Ge", "Sb"), neuron=(8,)), lammps.folder / "other.nvnmd")
    style = START.replace("model.nvnmd b.nvnmd c.nvnmd {}", words)
    done = lammps.run(style + "run 0\n", ranks=2)
    assert done.returncode != 0
    assert sentence in done.stdout + done.stderr


def test_a_full_disk_ends_the_run(lammps):
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    done = lammps.run(START.format("out_file /dev/full") + "run 0\n", ranks=2)
    assert done.returncode != 0
    assert "/dev/full, the file of model deviations, cannot be written (No space left" in done.stdout + done.stderr
