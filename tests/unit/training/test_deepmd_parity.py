"""Our float model against DeePMD-kit's own se_e2_a with identical weights (numbers stored by make_reference.py)."""

import json
from pathlib import Path

import numpy as np
import pytest

from nvnmd.training.metrics import predict
from nvnmd.training.model import DeepPot, ModelShape
from nvnmd.training.system import System

REFERENCE = Path(__file__).parents[2] / "data/deepmd_reference/reference.npz"
VARIANTS = ("letter", "small")
FRAMES = range(4)
RELATIVE = 1e-10


@pytest.fixture(scope="module")
def reference():
    with np.load(REFERENCE) as file:
        return dict(file)


def model_of(reference, variant):
    """Our model with the weights and sizes of a stored variant, in float64."""
    settings = json.loads(str(reference[f"{variant}/settings"]))
    descriptor, fitting = settings["descriptor"], settings["fitting_net"]
    shape = ModelShape(
        type_map=("Ge", "Te"),
        rcut=descriptor["rcut"],
        rcut_smth=descriptor["rcut_smth"],
        sel=tuple(descriptor["sel"]),
        neuron=tuple(descriptor["neuron"]),
        axis_neuron=descriptor["axis_neuron"],
        fitting_neuron=tuple(fitting["neuron"]),
        type_one_side=descriptor["type_one_side"],
    )
    names = DeepPot(shape).arrays()
    return DeepPot.from_arrays(shape, None, {n: reference[f"{variant}/{n}"].astype(np.float64) for n in names})


def system_of(reference, variant, frame):
    at = f"frames/{frame}"
    return System(
        name=at,
        type_map=("Ge", "Te"),
        types=reference[f"{at}/types"],
        cells=reference[f"{at}/cell"][None],
        positions=reference[f"{at}/positions"][None],
        energies=reference[f"{variant}/{at}/energy"][None],
        forces=reference[f"{variant}/{at}/forces"][None],
        virials=reference[f"{variant}/{at}/virial"][None],
    )


def close(found, expected):
    """Largest difference in units of the largest expected number."""
    return np.abs(found - expected).max() <= RELATIVE * np.abs(expected).max()


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_same_energy_forces_and_virial(reference, variant, frame):
    system = system_of(reference, variant, frame)
    found = predict(model_of(reference, variant), system)
    assert close(found.energies, system.energies)
    assert close(found.forces, system.forces)
    assert close(found.virials, system.virials)


@pytest.mark.parametrize("variant", VARIANTS)
def test_reference_would_show_swapped_networks(reference, variant):
    """The pairs' networks differ enough that a wrong order of them could not pass."""
    model = model_of(reference, variant)
    arrays = model.arrays()
    for name in (n for n in arrays if n.startswith("embedding")):
        arrays[name] = arrays[name][::-1].copy()
    system = system_of(reference, variant, 0)
    swapped = predict(DeepPot.from_arrays(model.shape, None, arrays), system)
    assert not close(swapped.forces, system.forces)


def test_reference_covers_images_and_forces_of_real_size(reference):
    assert reference["frames/3/cell"].shape == (3, 3)
    assert np.linalg.norm(reference["frames/3/cell"], axis=1).min() < 6.0
    for variant in VARIANTS:
        assert np.abs(reference[f"{variant}/frames/1/forces"]).max() > 0.1
