"""pair_style nvnmd gives the integers of the reference, whatever the ranks and the newton setting."""

import numpy as np
import pytest

from nvnmd.quantize.packing import evaluate_frame, pack_frame

NKTV2P = 1.6021765e6  # bar angstrom^3 in an eV, as LAMMPS's metal units have it


def as_integers(values, frac):
    """Doubles as integer multiples of 2^-frac; fails unless every one is exactly that."""
    words = np.ldexp(values, frac)
    assert (words == np.rint(words)).all()
    return words.astype(np.int64)


def test_forces_and_energies_are_the_references_integers(lammps_in, frame, model):
    dump = lammps_in(frame).dump()
    expected = evaluate_frame(model, pack_frame(model, frame.positions, frame.cell, frame.types))
    f = model.formats
    assert (as_integers(dump.forces, f.f_frac) == expected.force).all()
    assert (as_integers(dump.energies, f.e_frac) == expected.atom_energy).all()
    virial = -expected.atom_virial.reshape(-1, 9) * 2.0**-f.w_frac * NKTV2P
    assert (dump.atom_virial == virial).all()


def test_forces_add_up_to_zero_exactly(lammps_in, frame):
    forces = lammps_in(frame).dump().forces
    assert (forces.sum(axis=0) == 0).all()
    assert np.abs(forces).max() > 0.1


@pytest.mark.parametrize("newton", ["on", "off"])
@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_a_trajectory_is_the_same_for_any_ranks_and_newton(lammps_in, frame, ranks, newton):
    lammps = lammps_in(frame)
    assert lammps.dump(steps=12, ranks=ranks, newton=newton).text == lammps.dump(steps=12).text


@pytest.mark.parametrize("newton", ["on off", "off on"])
def test_newton_set_for_pairs_only_changes_nothing(lammps_in, frame, newton):
    lammps = lammps_in(frame)
    assert lammps.dump(steps=2, ranks=2, newton=newton).text == lammps.dump(steps=2).text


@pytest.mark.parametrize(("cells", "tilt_A"), [(2, 0.0), (3, 2.0)])
def test_cells_smaller_than_the_cutoff_see_their_images(lammps_in, make_frame, model, cells, tilt_A):
    frame = make_frame(cells, spacing_A=3.1, tilt_A=tilt_A)
    assert frame.cell[0, 0] < 2 * model.rcut_A
    dump = lammps_in(frame).dump(ranks=2)
    expected = evaluate_frame(model, pack_frame(model, frame.positions, frame.cell, frame.types))
    assert (as_integers(dump.forces, model.formats.f_frac) == expected.force).all()


def test_type_map_order_is_the_default_of_pair_coeff(lammps_in, frame):
    lammps = lammps_in(frame)
    assert lammps.dump(pair="* *").text == lammps.dump(pair="* * Ge Te").text


def test_elements_can_be_swapped(lammps_in, frame, model):
    dump = lammps_in(frame).dump(pair="* * Te Ge")
    expected = evaluate_frame(model, pack_frame(model, frame.positions, frame.cell, 1 - frame.types))
    assert (as_integers(dump.forces, model.formats.f_frac) == expected.force).all()


def test_the_global_virial_and_energy_are_exact_sums(lammps_in, frame, model):
    lammps = lammps_in(frame)
    expected = evaluate_frame(model, pack_frame(model, frame.positions, frame.cell, frame.types))
    done = lammps.run(
        "units metal\nread_data start.data\npair_style nvnmd model.nvnmd\npair_coeff * *\n"
        "compute p all pressure NULL pair\nvariable v equal vol\nthermo_style custom step pe vol c_p[*]\n"
        "thermo_modify format float %a\nrun 0\n",
        ranks=2,
    )
    row = next(line.split() for line in done.stdout.splitlines() if line.split()[:1] == ["0"])
    energy, volume, *pressure = (float.fromhex(word) for word in row[1:])
    assert energy == np.ldexp(float(expected.atom_energy.sum()), -model.formats.e_frac)
    w = np.ldexp(expected.atom_virial.sum(axis=0).astype(float), -model.formats.w_frac)
    w = (w + w.T) / 2
    wanted = np.array([w[0, 0], w[1, 1], w[2, 2], w[0, 1], w[0, 2], w[1, 2]])
    assert (np.array(pressure) == wanted * (1.0 / volume) * NKTV2P).all()
