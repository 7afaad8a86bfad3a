"""Frames that would spoil a training are refused, naming frame and atom; sound frames are not."""

from dataclasses import replace

import frame_writers as w
import numpy as np
import pytest

from nvnmd.training.frame_checks import HARTREE_PER_BOHR, check_system, consecutive_moves, energy_work_ratio
from nvnmd.training.frames import FramesError, load_systems

HARTREE = 27.211386


def changed(key, index, value):
    """A sound system with one number replaced."""
    system = w.small_system()
    array = getattr(system, key).copy()
    array[index] = value
    return replace(system, **{key: array})


def test_sound_frames_pass():
    check_system(w.small_system())
    check_system(w.small_system(periodic=False, virial=False))
    check_system(w.small_system(n_frames=1))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(
    ("key", "index", "where"),
    [
        ("forces", (2, 3, 1), "frame 2, atom 3: forces"),
        ("positions", (1, 5, 0), "frame 1, atom 5: positions"),
        ("energies", 3, "frame 3: energies"),
        ("virials", (0, 1, 1), "frame 0: virials"),
        ("cells", (1, 0, 0), "frame 1: cells"),
    ],
)
def test_not_finite(key, index, where, value):
    with pytest.raises(FramesError, match=f"small, {where} is (nan|inf)"):
        check_system(changed(key, index, value))


def test_huge_force_is_refused_unless_meant():
    system = changed("forces", (2, 4), [0.0, 120.0, 0.0])
    with pytest.raises(FramesError, match="frame 2, atom 4: a force of 120 eV/A is more than 100"):
        check_system(system)
    check_system(system, max_force=200.0, check_units=False)


def test_huge_force_from_a_file(tmp_path):
    path = w.write_npy(changed("forces", (1, 0), [150.0, 0.0, 0.0]), tmp_path / "hot")
    with pytest.raises(FramesError, match="hot, frame 1, atom 0"):
        load_systems(path)
    assert load_systems(path, max_force=1000.0, check_units=False)[0].n_frames == 4


@pytest.mark.parametrize("element", ["Xx", "ge", "Type_0", ""])
def test_unknown_element(element):
    with pytest.raises(FramesError, match=f"{element!r} in the type map is not the symbol of an element"):
        check_system(w.small_system(type_map=("Ge", element)))


@pytest.mark.parametrize("key", ["cells", "positions", "energies", "forces", "virials"])
def test_wrong_shape(key):
    system = w.small_system()
    with pytest.raises(FramesError, match=f"{key} has the shape"):
        check_system(replace(system, **{key: getattr(system, key)[..., None]}))


def test_no_frames():
    with pytest.raises(FramesError, match="0 frames"):
        check_system(w.small_system().select([]))


def test_flat_cell():
    with pytest.raises(FramesError, match="frame 0: the cell has a volume of 0"):
        check_system(changed("cells", (0, 2), [0.0, 0.0, 0.0]))


@pytest.mark.parametrize("gap", [0.0, 0.3])
@pytest.mark.parametrize("image", [0, 1])
def test_atoms_on_top_of_each_other(gap, image):
    """Also across the cell's border."""
    system = w.small_system()
    close = system.positions[1, 2] + image * w.CELL[0] + [gap, 0.0, 0.0]
    with pytest.raises(FramesError, match="small, frame 1: atoms 2 and 5"):
        check_system(changed("positions", (1, 5), close))


def test_energy_and_work_agree_in_equal_units():
    assert energy_work_ratio(w.small_system(n_frames=8)) == pytest.approx(1.0, abs=1e-10)


@pytest.mark.parametrize(
    ("energy_factor", "force_factor", "hint"),
    [
        (1.0, 1 / HARTREE_PER_BOHR, "forces in hartree/bohr"),
        (1 / HARTREE, 1.0, "energies in hartree"),
        (23.06, 1.0, "energies in kcal/mol"),
        (1.0, 23.06, "forces in kcal/mol/A"),
        (1000.0, 1.0, "energies in meV"),
        (1.0, -1.0, "gradients instead of forces"),
        (1.0, 7.0, "of an unknown kind"),
    ],
)
def test_labels_in_other_units_of_a_trajectory(energy_factor, force_factor, hint):
    system = w.small_system(n_frames=8)
    wrong = replace(system, energies=system.energies * energy_factor, forces=system.forces * force_factor)
    with pytest.raises(FramesError, match=hint):
        check_system(wrong)
    check_system(wrong, check_units=False)


def test_forces_too_large_for_a_solid():
    with pytest.raises(FramesError, match="kcal/mol/A"):
        check_system(changed("forces", slice(None), 15.0))


def test_small_forces_of_unrelated_frames_bring_a_warning(caplog):
    """Without a trajectory the size alone proves nothing: a relaxed structure has small forces too."""
    system = w.small_system(n_frames=4, step=0.4)
    assert energy_work_ratio(system) is None
    check_system(replace(system, forces=system.forces / HARTREE_PER_BOHR / 2))
    assert "hartree/bohr" in caplog.text


def test_moves_take_the_shortest_way():
    system = w.small_system()
    jumped = system.positions.copy()
    jumped[2:, 3] += w.CELL[1] - w.CELL[2]
    found = consecutive_moves(replace(system, positions=jumped))
    np.testing.assert_allclose(found, np.diff(system.positions, axis=0), atol=1e-12)
