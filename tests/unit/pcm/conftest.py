"""Frames with known answers."""

import numpy as np
import pytest

from nvnmd.pcm.trajectory import Snapshot

BASES = {
    "sc": [[0, 0, 0]],
    "fcc": [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]],
}
BASES["diamond"] = BASES["fcc"] + [[x + 0.25 for x in point] for point in BASES["fcc"]]
BASES["rocksalt"] = BASES["fcc"] + [[(x + 0.5) % 1 for x in point] for point in BASES["fcc"]]


def make_lattice(kind, repeats, edge, symbols=("Ge",), noise=0.0, seed=0):
    """Cubic lattice, `edge` the cubic cell's; the basis is shared out evenly among the symbols, in order."""
    repeats = np.broadcast_to(repeats, 3)
    basis = np.array(BASES[kind], dtype=float)
    shifts = np.stack(np.meshgrid(*map(np.arange, repeats), indexing="ij"), axis=-1).reshape(-1, 3)
    positions = (shifts[:, None] + basis).reshape(-1, 3) * edge
    positions += np.random.default_rng(seed).normal(0, noise, positions.shape) if noise else 0.0
    names = np.tile(np.repeat(symbols, len(basis) // len(symbols)), len(shifts))
    return Snapshot(positions, np.diag(repeats * edge).astype(float), names)


def make_gas(count, edge, seed=0, symbols=("Ge", "Te")):
    """Uniformly random atoms in a cube."""
    positions = np.random.default_rng(seed).uniform(0, edge, (count, 3))
    return Snapshot(positions, np.eye(3) * edge, np.resize(symbols, count))


@pytest.fixture
def lattice():
    return make_lattice


@pytest.fixture
def gas():
    return make_gas
