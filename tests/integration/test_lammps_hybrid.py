"""pair_style nvnmd under hybrid and hybrid/overlay: NULL elements, other styles beside it, restart, energies."""

import numpy as np
import pytest

from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.packing import evaluate_frame, pack_frame
from nvnmd.quantize.testing import random_model

START = "units metal\nread_data start.data\n"
OURS = START + "pair_style nvnmd model.nvnmd\npair_coeff * *\nrun 0\n"
LJ = "pair_coeff * * lj/cut 0.01 2.8\n"
MOVE = "fix 1 all nve\ntimestep 0.002\nneigh_modify every 1 delay 0 check no\n"


@pytest.mark.parametrize("newton", ["on", "off"])
def test_overlay_adds_another_styles_forces(lammps_in, frame, newton):
    lammps = lammps_in(frame)
    lammps.after(OURS, "ours")
    lammps.after(START + "pair_style lj/cut 5.0\npair_coeff * * 0.01 2.8\nrun 0\n", "lj")
    style = "pair_style hybrid/overlay nvnmd model.nvnmd lj/cut 5.0\npair_coeff * * nvnmd Ge Te\n" + LJ
    lammps.after(f"newton {newton}\n{START}{style}run 0\n", "both", ranks=2)
    added = lammps.rows("ours") + lammps.rows("lj")
    np.testing.assert_allclose(lammps.rows("both")[:, 8:], added[:, 8:], rtol=0, atol=1e-9)


def test_null_elements_keep_to_another_style(lammps_in, frame, model):
    """Ge by the model, every other pair by a style of no strength: only Ge feels forces, those of Ge alone."""
    lammps = lammps_in(frame)
    style = (
        "pair_style hybrid nvnmd model.nvnmd lj/cut 5.0\npair_coeff * * nvnmd Ge NULL\n"
        "pair_coeff 1 2 lj/cut 0.0 2.8\npair_coeff 2 2 lj/cut 0.0 2.8\n"
    )
    lammps.after(START + style + "run 0\n", "hybrid", ranks=2)
    ge = frame.types == 0
    expected = evaluate_frame(model, pack_frame(model, frame.positions[ge], frame.cell, frame.types[ge]))
    found = np.ldexp(lammps.rows("hybrid")[:, 8:], model.formats.f_frac)
    assert (found[ge] == expected.force).all()
    assert (found[~ge] == 0).all()


def test_two_models_in_one_run_add_up(lammps_in, frame, model):
    """The same style twice: LAMMPS numbers them."""
    lammps = lammps_in(frame)
    other = random_model(8)
    save_model(other, lammps.folder / "other.nvnmd")
    style = (
        "pair_style hybrid/overlay nvnmd model.nvnmd nvnmd other.nvnmd\n"
        "pair_coeff * * nvnmd 1 Ge Te\npair_coeff * * nvnmd 2 Ge Te\n"
    )
    lammps.after(START + style + "run 0\n", "both", ranks=2)
    words = pack_frame(model, frame.positions, frame.cell, frame.types)
    expected = sum(np.ldexp(evaluate_frame(m, words).force.astype(float), -m.formats.f_frac) for m in (model, other))
    assert (lammps.rows("both")[:, 8:] == expected).all()


def test_the_energy_of_the_style_alone_is_the_models(lammps_in, frame, model):
    lammps = lammps_in(frame)
    text = START + "pair_style hybrid/overlay nvnmd model.nvnmd lj/cut 5.0\npair_coeff * * nvnmd Ge Te\n" + LJ
    printed = lammps.succeed(text + "compute e all pair nvnmd epair\nthermo_style custom step c_e\n"
                             "thermo_modify format float %a\nrun 0\n", ranks=2)  # fmt: skip
    energy = next(line.split()[1] for line in printed.splitlines() if line.split()[:1] == ["0"])
    expected = evaluate_frame(model, pack_frame(model, frame.positions, frame.cell, frame.types))
    assert float.fromhex(energy) == np.ldexp(float(expected.atom_energy.sum()), -model.formats.e_frac)


def test_hybrid_survives_a_restart(lammps_in, frame):
    lammps = lammps_in(frame)
    coefficients = "pair_coeff * * nvnmd Te Ge\npair_coeff * * zero\n"
    style = "pair_style hybrid/overlay nvnmd model.nvnmd zero 6.0\n" + coefficients
    expected = lammps.after(START + style + MOVE + "run 2\nwrite_restart half\nrun 3\n", "whole")
    # LAMMPS keeps the settings of a hybrid's styles, not their coefficients.
    assert lammps.after("read_restart half\n" + coefficients + MOVE + "run 3\n", "again") == expected
