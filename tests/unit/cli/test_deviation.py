"""`nvnmd deviation` on small random models."""

import json
from pathlib import Path

import numpy as np
import pytest

from nvnmd.cli.deviation import deviation
from nvnmd.training.deviation import DeviationError
from nvnmd.training.frames import load_systems
from nvnmd.training.guard import Guard
from nvnmd.training.metrics import predict
from nvnmd.training.model import DeepPot, ModelShape
from nvnmd.training.model_file import load_model, save_model

ROOT = Path(__file__).parents[3]
DATA = ROOT / "data/gete-cp2k/glass"


@pytest.fixture
def models(tmp_path: Path) -> list[Path]:
    """Two models, whose type maps differ in order."""
    paths = []
    for seed, elements in enumerate([("Ge", "Te"), ("Te", "Ge")]):
        shape = ModelShape(elements, rcut=4.0, rcut_smth=2.0, sel=(20, 20), neuron=(4, 8), fitting_neuron=(8,))
        paths.append(tmp_path / f"{seed}.safetensors")
        save_model(DeepPot(shape, Guard.for_elements(elements), seed=seed), paths[-1])
    return paths


def test_the_committee_is_compared_atom_by_atom(
    models: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deviation(models, data=[str(DATA)], output=tmp_path / "devi.out", low=1e-6, high=1e3)
    printed = json.loads(capsys.readouterr().out)
    system = load_systems(DATA, ["Ge", "Te"])[0]
    forces = [
        predict(load_model(path), system.with_type_map(load_model(path).shape.type_map)).forces for path in models
    ]
    expected = np.linalg.norm(np.std(forces, axis=0), axis=2)
    rows = np.loadtxt(tmp_path / "devi.out")
    assert rows[:, 4] == pytest.approx(expected.max(axis=1), rel=1e-5)
    assert rows[:, 6] == pytest.approx(expected.mean(axis=1), rel=1e-5)
    assert printed["candidate"] == printed["frames"] == system.n_frames
    assert printed["largest"] == pytest.approx(expected.max(), rel=1e-5)


def test_a_trajectory_without_labels_gives_the_same(models: list[Path], tmp_path: Path) -> None:
    from ase import Atoms
    from ase.io import write

    system = load_systems(DATA, ["Ge", "Te"])[0]
    atoms = [Atoms(system.symbols, p, cell=c, pbc=True) for p, c in zip(system.positions, system.cells, strict=True)]
    write(tmp_path / "run.extxyz", atoms)
    deviation(models, trajectory=[tmp_path / "run.extxyz"], output=tmp_path / "a.out", every=10)
    deviation(models, data=[str(DATA)], output=tmp_path / "b.out", every=10)
    first, second = np.loadtxt(tmp_path / "a.out"), np.loadtxt(tmp_path / "b.out")
    assert first[:, 0].tolist() == [10 * k for k in range(system.n_frames)]
    assert first == pytest.approx(second, rel=1e-3)


def test_a_committee_of_different_elements_or_of_one_is_refused(models: list[Path]) -> None:
    with pytest.raises(DeviationError, match="at least two models"):
        deviation(models[:1], data=[str(DATA)])
    with pytest.raises(DeviationError, match="either --data or --trajectory"):
        deviation(models)
    shape = ModelShape(("Ge", "Sb"), rcut=4.0, rcut_smth=2.0, sel=(20, 20), neuron=(4, 8), fitting_neuron=(8,))
    save_model(DeepPot(shape, seed=1), models[1])
    with pytest.raises(DeviationError, match="knows Ge Sb"):
        deviation(models, data=[str(DATA)])
