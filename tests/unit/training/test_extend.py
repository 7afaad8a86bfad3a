"""Starting from a model with other elements."""

import numpy as np
import pytest
from small_models import evaluate, random_frame, random_model

from nvnmd.training.extend import take_over
from nvnmd.training.model import ModelError

FORMS = [("se_e2_a", False), ("se_e2_a", True), ("se_atten", False)]


def check_same(old, new, tolerance=1e-11):
    """Both give the same forces and virial for a structure of Ge and Te, and the same energy."""
    positions, cell, types = random_frame(closest=2.1)
    energy, forces, virial = evaluate(old, positions, cell, types)
    names = np.array(old.shape.type_map)[types]
    energy2, forces2, virial2 = evaluate(new, positions, cell, np.array([new.shape.type_map.index(n) for n in names]))
    assert energy2 == pytest.approx(energy, rel=tolerance)
    assert np.abs(forces2 - forces).max() <= tolerance * np.abs(forces).max()
    assert np.abs(virial2 - virial).max() <= tolerance * np.abs(virial).max()


@pytest.mark.parametrize(("form", "one_side"), FORMS)
def test_shared_elements_keep_their_energies_and_forces(form, one_side):
    old = random_model(form, type_one_side=one_side)
    new = random_model(form, ("Te", "Sb", "Ge", "N"), type_one_side=one_side, seed=8, sel=(90,))
    before = evaluate(new, *random_frame(closest=2.1))
    assert take_over(old, new) == ("Te", "Ge")
    check_same(old, new)
    after = evaluate(new, *random_frame(closest=2.1))
    assert before[0] != after[0]


def test_fewer_elements_can_be_kept():
    old, new = random_model(type_map=("Ge", "Sb", "Te")), random_model(type_map=("Te", "Ge"), seed=8)
    assert take_over(old, new) == ("Te", "Ge")
    check_same(new, old)


def test_new_elements_keep_their_own_networks():
    old, new = random_model(), random_model(type_map=("Ge", "Te", "Sb"), seed=8)
    before = new.arrays()
    take_over(old, new)
    after = new.arrays()
    assert np.array_equal(before["fitting.weights.0"][2], after["fitting.weights.0"][2])
    for pair in (2, 5, 6, 7, 8):  # those with Sb
        assert np.array_equal(before["embedding.weights.1"][pair], after["embedding.weights.1"][pair])
    assert before["radial_scale"][2] == after["radial_scale"][2]


def test_other_sizes_and_strangers_are_refused():
    with pytest.raises(ModelError, match=r"axis_neuron 4 \(settings: 3\)"):
        take_over(random_model(), random_model(type_map=("Ge", "Te", "Sb"), axis_neuron=3))
    with pytest.raises(ModelError, match="knows Ge Te, none of Sb"):
        take_over(random_model(), random_model(type_map=("Sb",)))
