"""A model of eight elements in LAMMPS, of which a run may hold a few, in any order."""

import numpy as np
import pytest

from nvnmd.quantize.model_file import save_model
from nvnmd.quantize.packing import evaluate_frame, pack_frame
from nvnmd.quantize.testing import random_model

EIGHT = ("Ge", "Sb", "Te", "Ti", "N", "Si", "O", "W")


@pytest.mark.parametrize("gated", [True, False])
def test_two_of_eight_elements(lammps_in, frame, gated):
    model = random_model(9, type_map=EIGHT, gated=gated, neuron=(32,))
    lammps = lammps_in(frame)
    save_model(model, lammps.folder / "model.nvnmd")
    dump = lammps.dump(ranks=2, pair="* * W Si")
    types = np.array([EIGHT.index("W"), EIGHT.index("Si")])[frame.types]
    expected = evaluate_frame(model, pack_frame(model, frame.positions, frame.cell, types))
    assert (np.ldexp(dump.forces, model.formats.f_frac) == expected.force).all()
    assert (np.ldexp(dump.energies, model.formats.e_frac) == expected.atom_energy).all()
    assert (expected.force != 0).any()


def test_an_element_that_it_lacks_is_told_with_those_that_it_has(lammps_in, frame):
    lammps = lammps_in(frame)
    save_model(random_model(9, type_map=EIGHT, gated=True, neuron=(32,)), lammps.folder / "model.nvnmd")
    done = lammps.run("units metal\nread_data start.data\npair_style nvnmd model.nvnmd\npair_coeff * * C Te\n")
    assert done.returncode != 0
    assert "the model has no element C; it knows Ge, Sb, Te, Ti, N, Si, O, W" in done.stdout
