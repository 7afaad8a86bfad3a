"""The crystal of the runs in Python."""

from __future__ import annotations

from typing import Any

import numpy as np

SPACING_A, SHAKE_A = 3.097, 0.15


def gete(atoms: int) -> tuple[Any, Any, Any]:
    """Positions, cell and types of a shaken rocksalt block of at least `atoms` atoms at the density of the liquid."""
    edge = max(4, 2 * round((atoms * 1.5) ** (1 / 3) / 2))
    height = 2 * -(-atoms // (2 * edge * edge))
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in (edge, edge, height)), indexing="ij"), axis=-1).reshape(-1, 3)
    positions = SPACING_A * grid + np.random.default_rng(0).normal(0, SHAKE_A, grid.shape)
    return positions, SPACING_A * np.diag([edge, edge, height]), grid.sum(axis=1) % 2
