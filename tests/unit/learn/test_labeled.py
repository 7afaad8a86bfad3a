"""Labeled frames on disk, with their marks."""

import json
from pathlib import Path

import numpy as np
import pytest
from toys import structure

from nvnmd.learn.errors import LearnError
from nvnmd.learn.labeled import LabeledFrame, Labels, check_frame, read_provenance, write_sets
from nvnmd.training.frames import load_systems
from nvnmd.training.shifts import fit_energy_shifts
from nvnmd.training.system import FramesError


def frame(name: str, seed: int, group: str = "crystal", periodic: bool = True, virial: bool = True) -> LabeledFrame:
    atoms = structure(seed)
    atoms = atoms[[4, 0, 5, 1, 2, 3, 6, 7]]  # not in the order of the types
    atoms.pbc = periodic
    rng = np.random.default_rng(seed)
    forces, tensor = rng.normal(size=(8, 3)), rng.normal(size=(3, 3))
    labels = Labels(-4.0 * len(atoms) + seed, forces, tensor if virial else None, {"seed": seed})
    return LabeledFrame(name, group, atoms, labels)


def test_frames_come_back_as_they_were(tmp_path: Path) -> None:
    frames = [frame("b", 2), frame("a", 1), frame("c", 3, "liquid"), frame("d", 4, periodic=False, virial=False)]
    folders = write_sets(tmp_path / "data", frames, ["Te", "Ge"], "teacher:toy", "toy")
    assert [folder.name for folder in folders] == ["crystal-Te4Ge4", "liquid-Te4Ge4", "crystal-Te4Ge4-cluster"]
    systems = {system.name: system for system in load_systems(tmp_path / "data", ["Ge", "Te"])}
    crystal = systems["data/crystal-Te4Ge4"]
    assert crystal.n_frames == 2
    assert not systems["data/crystal-Te4Ge4-cluster"].periodic
    for k, given in enumerate((frames[1], frames[0])):
        order = np.argsort([symbol != "Te" for symbol in given.atoms.get_chemical_symbols()], kind="stable")
        np.testing.assert_array_equal(crystal.positions[k], given.atoms.positions[order])
        np.testing.assert_array_equal(crystal.forces[k], given.labels.forces[order])
        assert crystal.energies[k] == given.labels.energy
        np.testing.assert_array_equal(crystal.virials[k], given.labels.virial)
    assert [entry["seed"] for entry in read_provenance(folders[0])] == [1, 2]
    assert json.loads((folders[0] / "provenance.json").read_text())["label"] == "teacher:toy"


def test_a_teacher_never_shares_the_energy_reference_of_dft(tmp_path: Path) -> None:
    write_sets(tmp_path / "a", [frame("a", 1)], ["Ge", "Te"], "teacher:toy", "same word")
    write_sets(tmp_path / "b", [frame("b", 2)], ["Ge", "Te"], "dft", "same word")
    taught, dft = load_systems([tmp_path / "a", tmp_path / "b"])
    assert (taught.label, dft.label) == ("teacher:toy", "dft")
    assert taught.dataset != dft.dataset
    shifts = fit_energy_shifts([taught, dft])
    assert not np.array_equal(shifts.of(taught), shifts.of(dft))


def test_writing_again_replaces_the_whole(tmp_path: Path) -> None:
    write_sets(tmp_path / "data", [frame("a", 1), frame("c", 3, "liquid")], ["Ge", "Te"], "dft", "x")
    write_sets(tmp_path / "data", [frame("a", 1)], ["Ge", "Te"], "dft", "x")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["crystal-Ge4Te4"]
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_an_element_without_a_type_is_named(tmp_path: Path) -> None:
    with pytest.raises(LearnError, match="a: has Te, which is not among the elements Ge Sb"):
        write_sets(tmp_path / "data", [frame("a", 1)], ["Ge", "Sb"], "dft", "x")


@pytest.mark.parametrize(
    ("force", "said"), [(np.nan, "forces is nan"), (500.0, "a force of"), (80.0, "are they in kcal/mol/A")]
)
def test_labels_that_would_spoil_a_training_are_refused(force: float, said: str) -> None:
    atoms = structure(shake=0.0)
    with pytest.raises(FramesError, match=said):
        check_frame("x", atoms, Labels(0.0, np.full((8, 3), force / np.sqrt(3)), None, {}))
