"""The C simulation equals the integer reference word for word, whatever model is loaded into the one build."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hls_cases import clipping_model, edge_atoms, gated_model, lone_model, pair_model, saturated_model

from nvnmd.fpga.hls.csim import Csim, open_csim
from nvnmd.fpga.hls.errors import HlsError
from nvnmd.fpga.hls.frames import answer_frames, packet_frames
from nvnmd.fpga.hls.options import HlsOptions
from nvnmd.fpga.hls.project import write_project
from nvnmd.fpga.stream import COUNTS
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.reference import AtomInput
from nvnmd.quantize.testing import crystal, liquid, random_atoms, random_model

pytestmark = pytest.mark.xdist_group("hls")


def compare(simulation: Csim, model: IntegerModel, atoms: list[AtomInput]) -> dict[str, int]:
    """Load a model, compare every word of every answer, and return the counts over all atoms."""
    simulation.load(model)
    got = simulation.play(packet_frames(atoms, simulation.sizes))
    wanted = answer_frames(model, atoms, simulation.sizes)
    assert np.array_equal(got, wanted), f"first difference: {np.argwhere(got != wanted)[0]}"
    answers = simulation.evaluate(atoms)
    return {name: sum(answer.counts[name] for answer in answers) for name in COUNTS}


@pytest.mark.parametrize("make", [gated_model, pair_model, lone_model])
def test_random_atoms_and_edges(simulation: Csim, make: Callable[[], IntegerModel]) -> None:
    model = make()
    atoms = edge_atoms(model.n_types, most=40) + random_atoms(40, 5, model.n_types, model.rcut_A, most=60)
    assert compare(simulation, model, atoms)["too close"] > 0


@pytest.mark.parametrize("structure", [crystal, liquid])
@pytest.mark.parametrize("make", [gated_model, pair_model])
def test_atoms_of_a_structure(
    simulation: Csim, make: Callable[[], IntegerModel], structure: Callable[[IntegerModel], list[AtomInput]]
) -> None:
    model = make()
    compare(simulation, model, structure(model))


def test_every_counter(simulation: Csim) -> None:
    atoms = edge_atoms(2, most=40) + random_atoms(30, 5, 2, 5.0, most=30)
    clipped = compare(simulation, clipping_model(pair_model()), atoms)
    clipped["H"] += compare(simulation, saturated_model(pair_model()), atoms)["H"]
    assert min(clipped.values()) > 0, clipped


def test_models_one_after_the_other_in_one_build(simulation: Csim) -> None:
    """Tables, weights and number formats all change, and nothing of a model stays behind."""
    atoms = random_atoms(5, 2, 1, 5.0, most=30)
    models = [gated_model(), lone_model(), pair_model(), gated_model()]
    assert len({model.formats for model in models}) == 3
    answers = []
    for model in models:
        compare(simulation, model, atoms)
        answers.append([answer.energy for answer in simulation.evaluate(atoms)])
    assert answers[0] == answers[3]
    assert answers[0] != answers[1] != answers[2]


def test_an_atom_with_the_most_neighbors(simulation: Csim) -> None:
    model = gated_model()
    atom = next(a for a in random_atoms(900, 3, 2, most=64) if len(a.neighbor_type) == model.max_neighbors)
    compare(simulation, model, [atom])


def test_a_model_that_does_not_fit_is_refused(simulation: Csim) -> None:
    for model, named in (
        (random_model(0, m1=4, m2=2, neuron=(8, 8)), "widths"),
        (random_model(0, m1=4, m2=1, neuron=(8, 8, 8)), "m2"),
        (random_model(0, m1=4, m2=2, neuron=(8, 8, 8), skip=False), "skip"),
        (random_model(0, m1=4, m2=2, neuron=(8, 8, 8), type_map=("Ge", "Sb", "Te")), "types"),
    ):
        with pytest.raises(HlsError, match=named):
            simulation.load(model)


def test_an_atom_with_too_many_neighbors_is_named(simulation: Csim) -> None:
    n = simulation.sizes.max_neighbors + 1
    many = AtomInput(0, np.full((n, 3), 20000), np.zeros(n, np.int64))
    with pytest.raises(HlsError, match="atom 1 has 65 neighbors"):
        simulation.evaluate([edge_atoms(2, 40)[0], many])


@pytest.mark.slow
@pytest.mark.parametrize("form", ["pairs", "strip"])
def test_ten_thousand_atoms(simulation: Csim, form: str) -> None:
    model = gated_model() if form == "strip" else pair_model()
    atoms = edge_atoms(2, most=40) + random_atoms(9000, 7, 2, model.rcut_A, most=60)
    atoms += crystal(model, repeat=4) + [atom for seed in range(32) for atom in liquid(model, 16, 7.8, seed)]
    assert len(atoms) >= 10_000
    compare(simulation, model, atoms)


@pytest.mark.slow
def test_ten_thousand_atoms_at_the_letters_sizes(tmp_path: Path) -> None:
    model = random_model(0)
    assert [weight.shape[1:] for weight in model.weights] == [(128, 128)] * 3
    simulation = open_csim(write_project(model, tmp_path / "letter"), model)
    atoms = edge_atoms(2, most=40) + random_atoms(5000, 7, 2, model.rcut_A, most=60)
    atoms += crystal(model, repeat=7) + [atom for seed in range(150) for atom in liquid(model, 16, 7.8, seed)]
    assert len(atoms) >= 10_000
    compare(simulation, model, atoms)


@pytest.mark.slow
def test_sizes_that_do_not_divide_each_other_and_three_types(tmp_path: Path) -> None:
    """Reuse factors below and above the inputs of a layer take different kernels of hls4ml."""
    model = random_model(5, m1=6, m2=3, neuron=(12, 10, 10), type_map=("Ge", "Sb", "Te"))
    for reuse, chosen in ((64, {10, 50, 60, 72}), (5, {4, 5, 6})):
        folder = write_project(model, tmp_path / str(reuse), HlsOptions(reuse=reuse))
        assert set(json.loads((folder / "estimate.json").read_text())["reuse"].values()) == chosen
        compare(open_csim(folder, model), model, random_atoms(100, 9, 3, most=60))
