"""Small potentials and frames for the tests of the quantize room; everything is random, seeded and tiny."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.nodes import tanh_coefficients
from nvnmd.training.guard import Guard
from nvnmd.training.metrics import predict
from nvnmd.training.model import DeepPot, ModelShape
from nvnmd.training.system import System

SMALL = {"m1": 8, "m2": 2, "neuron": (16, 16)}


@dataclass(frozen=True)
class Frame:
    """positions [n, 3] and cell [3, 3] in angstrom, types [n]."""

    positions: NDArray[np.float64]
    cell: NDArray[np.float64]
    types: NDArray[np.int64]


def crystal(cells: int = 3, spacing_A: float = 3.0, shake_A: float = 0.05, seed: int = 0) -> Frame:
    """A rocksalt block, ``cells`` atoms along each edge."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    positions = grid * spacing_A + rng.normal(0, shake_A, grid.shape)
    return Frame(positions, np.eye(3) * cells * spacing_A, grid.sum(axis=1) % 2)


def scattered(count: int = 24, edge_A: float = 9.5, closest_A: float = 2.3, seed: int = 1) -> Frame:
    """Atoms at random places at least ``closest_A`` apart: a gas or, when dense, a liquid."""
    rng, positions = np.random.default_rng(seed), np.zeros((0, 3))
    while len(positions) < count:
        trial = rng.random(3) * edge_A
        difference = positions - trial
        difference -= edge_A * np.rint(difference / edge_A)
        if (np.linalg.norm(difference, axis=1) > closest_A).all():
            positions = np.vstack([positions, trial])
    return Frame(positions, np.eye(3) * edge_A, rng.integers(0, 2, count))


FRAMES = {
    "random": scattered(12, seed=4),
    "liquid": scattered(26, seed=5),
    "crystal": crystal(),
    "perfect crystal": crystal(shake_A=0.0),
    "small cell": crystal(cells=2, spacing_A=2.9),
    "one atom": Frame(np.zeros((1, 3)), np.eye(3) * 4.1, np.array([1])),
    "lone atom": Frame(np.zeros((1, 3)), np.eye(3) * 20.0, np.array([0])),
}


def small_potential(form: str = "se_e2_a", skip: bool = True, seed: int = 2) -> DeepPot:
    """A random float potential; without ``skip`` no two layers have the same width."""
    shape = ModelShape(
        ("Ge", "Te"),
        form=form,  # type: ignore[arg-type]
        rcut=5.0,
        rcut_smth=2.0,
        sel=(30,),
        neuron=(4, 8),
        axis_neuron=2,
        fitting_neuron=(16, 16, 16) if skip else (12, 10),
    )
    model = DeepPot(shape, Guard.for_elements(shape.type_map), seed=seed)
    model.radial_scale[:], model.angular_scale[:] = 0.08, 0.05
    if form == "se_e2_a":
        model.radial_scale[1] = 0.09
    model.energy_shifts[:] = -105.0, -220.0
    return model


def overdriven(model: IntegerModel, finer_x: int = 0) -> IntegerModel:
    """The same model with features at their limit, large biases and fine gradients, so that 16-bit words clip."""
    f = model.formats
    shift = f.tanh_shift + f.act_frac[1] - 14
    formats = replace(
        f,
        x_frac=f.x_frac + finer_x,
        norm_shift=f.norm_shift - 3,
        d_frac=15,
        act_frac=(15, *[14] * model.n_layers),
        tanh_shift=shift,
        grad_frac=(*(frac + 5 for frac in f.grad_frac[:-1]), f.grad_frac[-1]),
        y_frac=f.y_frac + 5,
    )
    coef = np.zeros_like(model.feature_coef)
    coef[:, :, 0] = 32000
    return replace(
        model,
        feature_coef=coef,
        formats=formats,
        biases=tuple((np.arange(bias.size).reshape(bias.shape) % 2 << 27).astype(np.int32) for bias in model.biases),
        tanh_coef=tanh_coefficients(14, f.z_frac, f.tanh_seg_bits, shift),
    ).validate()


def labeled(frames: list[Frame], model: DeepPot, name: str = "toy", virials: bool = True) -> System:
    """Frames of one composition, labeled by a float potential."""
    system = System(
        name=name,
        type_map=model.shape.type_map,
        types=frames[0].types,
        cells=np.array([frame.cell for frame in frames]),
        positions=np.array([frame.positions for frame in frames]),
        energies=np.zeros(len(frames)),
        forces=np.zeros((len(frames), len(frames[0].types), 3)),
        virials=None,
    )
    found = predict(model.double(), system)
    return replace(system, energies=found.energies, forces=found.forces, virials=found.virials if virials else None)
