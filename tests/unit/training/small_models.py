"""Small random frames and models for the tests of the training room."""

import numpy as np
import torch

from nvnmd.training.batch import Batch
from nvnmd.training.guard import Guard
from nvnmd.training.model import DeepPot, ModelShape
from nvnmd.training.prepare import prepare_frame
from nvnmd.training.settings import Settings, parse_settings
from nvnmd.training.system import System

TRICLINIC = np.array([[7.0, 0.0, 0.0], [1.5, 6.5, 0.0], [-1.0, 2.0, 7.5]])


def random_model(form="se_e2_a", type_map=("Ge", "Te"), guard=True, seed=3, **changes) -> DeepPot:
    sizes = {"rcut": 5.0, "rcut_smth": 2.0, "sel": (40,), "neuron": (4, 8, 16), "fitting_neuron": (12, 12)}
    shape = ModelShape(tuple(type_map), form=form, **(sizes | changes))
    model = DeepPot(shape, Guard.for_elements(type_map) if guard else None, seed=seed).double()
    n = shape.n_types
    radial, angular = np.linspace(0.06, 0.08, n), np.linspace(0.035, 0.045, n)
    if form == "se_atten":
        radial[:], angular[:] = radial[0], angular[0]
    model.radial_scale, model.angular_scale = radial, angular
    return model


def random_frame(n_atoms=10, n_types=2, cell=TRICLINIC, closest=1.6, seed=0):
    """Positions at least `closest` apart (images included), cell, types."""
    rng = np.random.default_rng(seed)
    positions: list[np.ndarray] = []
    images = np.array([[a, b, c] for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)]) @ cell
    while len(positions) < n_atoms:
        trial = rng.random(3) @ cell
        if all(np.linalg.norm(trial + images - p, axis=1).min() > closest for p in positions):
            positions.append(trial)
    return np.array(positions), cell, rng.integers(0, n_types, n_atoms)


def prepare(model, positions, cell, types, periodic=True) -> Batch:
    return prepare_frame(positions, cell, types, model.cutoffs(), periodic, dtype=torch.float64)


def evaluate(model, positions, cell, types, periodic=True):
    """Energy (eV), forces [n, 3] in the frame's order, virial [3, 3]."""
    batch = prepare(model, positions, cell, types, periodic)
    prediction = model(batch)
    forces = np.empty_like(positions)
    forces[batch.order.numpy()] = prediction.forces.detach().numpy().T
    return prediction.energies.item(), forces, prediction.virials[0].detach().numpy()


def labeled_system(teacher: DeepPot, n_frames=4, n_atoms=8, name="toy", seed=0, virials=True) -> System:
    """Frames labeled by a random model: data that can be learned."""
    n_types = teacher.shape.n_types
    first = random_frame(n_atoms, n_types, closest=2.1, seed=seed)
    rng = np.random.default_rng(seed)
    positions = [first[0] + 0.1 * rng.normal(size=first[0].shape) for _ in range(n_frames)]
    labels = [evaluate(teacher, p, first[1], first[2]) for p in positions]
    return System(
        name=name,
        type_map=teacher.shape.type_map,
        types=first[2],
        cells=np.array([first[1]] * n_frames),
        positions=np.array(positions),
        energies=np.array([energy for energy, _, _ in labels]) - 100.0 * n_atoms,
        forces=np.array([forces for _, forces, _ in labels]),
        virials=np.array([virial for _, _, virial in labels]) if virials else None,
    )


def small_settings(steps=8, form="se_e2_a", **changes) -> Settings:
    """Settings that train the shape of `random_model`."""
    data = {
        "model": {
            "type_map": ["Ge", "Te"],
            "descriptor": {"type": form, "rcut": 5.0, "rcut_smth": 2.0, "neuron": [4, 8, 16], "seed": 1},
            "fitting_net": {"neuron": [12, 12]},
        },
        "loss": {"start_pref_v": 0.02, "limit_pref_v": 1.0},
        "training": {
            "training_data": {"systems": ["toy"], "batch_size": 2},
            "numb_steps": steps,
            "seed": 5,
            "disp_freq": 2,
            "save_freq": 1000,
        },
    }
    data["training"] |= changes
    return parse_settings(data)[0]
