"""Random but plausible models and atoms for tests of every backend."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from nvnmd.quantize.choose import CompileOptions
from nvnmd.quantize.compiler import compile_model
from nvnmd.quantize.float_spec import Array, FloatSpec, fast_switch
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.packing import pack_frame
from nvnmd.quantize.reference import AtomInput


def random_spec(
    seed: int = 0,
    type_map: tuple[str, ...] = ("Ge", "Te"),
    rcut_A: float = 6.0,
    m1: int = 32,
    m2: int = 4,
    neuron: tuple[int, ...] = (128, 128, 128),
    gated: bool = False,
    skip: bool = True,
    guard: bool = True,
) -> FloatSpec:
    """Return a potential with random smooth features and random weights of trained size."""
    rng, n = np.random.default_rng(seed), len(type_map)
    tables = 1 if gated else n * n
    slope, offset = rng.normal(0, 1.0, (tables, m1)), rng.normal(0, 0.7, (tables, m1))

    def feature(table: int) -> Any:
        return lambda r: np.tanh(6 * (fast_switch(r, 2.0, rcut_A) / r)[:, None] * slope[table] + offset[table])

    def radial(r: Array) -> Array:
        return fast_switch(r, 2.0, rcut_A) / r / 0.12

    widths = [m1 * m2, *neuron]
    return FloatSpec(
        type_map=type_map,
        rcut_A=rcut_A,
        m2=m2,
        normalization=48.0,
        features=tuple(feature(t) for t in range(tables)),
        feature_table=np.zeros((n, n), int) if gated else np.arange(n * n).reshape(n, n),
        radial=(radial,),
        angular=(lambda r: radial(r) / r,),
        scalar_table=np.zeros((n, n), int),
        guard=lambda a, b, r: (15.0 + a + b) * np.clip(2.2 - r, 0, None) ** 3,
        guard_end_A=2.2 if guard else 0.0,
        gate=np.clip(1 + rng.normal(0, 0.3, (n, n, m1)), -1.9, 1.9) if gated else None,
        weights=tuple(rng.normal(0, 1.2 / np.sqrt(a), (n, b, a)) for a, b in itertools.pairwise(widths)),
        biases=tuple(rng.normal(0, 0.3, (n, b)) for b in widths[1:]),
        out_weight=rng.normal(0, 0.3, (n, widths[-1])),
        out_bias=rng.normal(0, 0.1, n),
        energy_bias_eV=rng.normal(-150, 20, n),
        skip=tuple(skip and layer > 0 and widths[layer] == widths[layer + 1] for layer in range(len(neuron))),
    )


def random_atoms(
    count: int,
    seed: int = 0,
    n_types: int = 2,
    rcut_A: float = 6.0,
    shortest_A: float = 2.2,
    most: int = 60,
    dx_frac: int = 14,
) -> list[AtomInput]:
    """Return ``count`` atoms with 0 … ``most`` neighbors at random places between ``shortest_A`` and the cutoff."""
    rng, atoms = np.random.default_rng(seed), []
    for _ in range(count):
        n = int(rng.integers(0, most + 1))
        direction = rng.normal(size=(n, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True) + 1e-12
        r = (shortest_A**3 + rng.random(n) * (0.999 * rcut_A**3 - shortest_A**3)) ** (1 / 3)
        x = np.rint(direction * r[:, None] * 2.0**dx_frac).astype(np.int64)
        atoms.append(AtomInput(int(rng.integers(n_types)), x, rng.integers(n_types, size=n)))
    return atoms


def crystal(model: IntegerModel, repeat: int = 2, shake_A: float = 0.05) -> list[AtomInput]:
    """Atoms of rocksalt with the lattice constant of GeTe, slightly shaken."""
    base = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]) / 2
    cells = np.stack(np.meshgrid(*[np.arange(repeat)] * 3), -1).reshape(-1, 1, 3)
    positions = (cells + base).reshape(-1, 3) * 6.0
    positions += np.random.default_rng(0).normal(0, shake_A, positions.shape)
    types = np.tile(np.repeat([0, 1], 4), len(cells)) % model.n_types
    return list(pack_frame(model, positions, np.eye(3) * 6.0 * repeat, types).atoms())


def liquid(model: IntegerModel, count: int = 64, length_A: float = 12.4, seed: int = 1) -> list[AtomInput]:
    """Atoms of a disordered box at the density of liquid GeTe, kept 2.2 Å apart."""
    rng, positions = np.random.default_rng(seed), np.zeros((0, 3))
    while len(positions) < count:
        trial = rng.random(3) * length_A
        apart = positions - trial
        apart -= length_A * np.rint(apart / length_A)
        if (np.linalg.norm(apart, axis=1) > 2.2).all():
            positions = np.vstack([positions, trial])
    types = rng.integers(0, model.n_types, count)
    return list(pack_frame(model, positions, np.eye(3) * length_A, types).atoms())


def random_model(seed: int = 0, options: CompileOptions | None = None, **spec: Any) -> IntegerModel:
    """Return a valid random integer model; keyword arguments as in ``random_spec``."""
    real = random_spec(seed, **spec)
    atoms = random_atoms(40, seed + 1, len(real.type_map), real.rcut_A, most=40)
    return compile_model(real, atoms, options, {"source": "random", "seed": seed})
