"""One vector for a structure."""

from pathlib import Path

import numpy as np
import pytest
from toys import structure

from nvnmd.learn.candidates import plain_system
from nvnmd.learn.descriptors import StructureVectors
from nvnmd.training.model import DeepPot, ModelShape
from nvnmd.training.model_file import save_model


@pytest.fixture
def vectors(tmp_path: Path) -> StructureVectors:
    shape = ModelShape(("Ge", "Sb", "Te"), rcut=4.5, rcut_smth=2.0, sel=(40,), neuron=(4, 8), axis_neuron=2)
    save_model(DeepPot(shape, seed=1), tmp_path / "model.safetensors")
    return StructureVectors(tmp_path / "model.safetensors")


def test_a_vector_does_not_depend_on_how_a_structure_is_written(vectors: StructureVectors) -> None:
    atoms = structure(3)
    first = vectors(plain_system(atoms, ("Ge", "Sb", "Te")))
    assert first.shape == (1, 3 * 8 * 2)
    moved = atoms[[5, 0, 7, 2, 1, 3, 6, 4]]
    moved.positions += [1.0, 2.0, 3.0]
    moved.wrap()
    turned = moved * (2, 1, 1)
    turned.rotate(30, "z", rotate_cell=True)
    np.testing.assert_allclose(vectors(plain_system(turned, ("Ge", "Sb", "Te"))), first, rtol=1e-4, atol=1e-6)


def test_an_element_that_is_not_there_gives_zeros(vectors: StructureVectors) -> None:
    found = vectors(plain_system(structure(3), ("Ge", "Sb", "Te")))[0].reshape(3, 16)
    assert not found[1].any()
    assert found[0].any()
    assert found[2].any()


def test_other_structures_have_other_vectors(vectors: StructureVectors) -> None:
    a, b, c = (vectors(plain_system(structure(0, shake), ("Ge", "Sb", "Te"))) for shake in (0.0, 0.05, 0.3))
    assert 0 < np.linalg.norm(a - b) < np.linalg.norm(a - c)


def test_an_atom_alone_has_a_vector(vectors: StructureVectors) -> None:
    alone = structure()[:1]
    alone.set_cell([20.0] * 3)
    found = vectors(plain_system(alone, ("Ge", "Sb", "Te")))
    assert found.shape == (1, 48)
    assert not found.any()
