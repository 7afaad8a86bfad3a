"""What the compiler needs to know of a float potential, in real numbers and without a framework."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FloatSpec:
    """A potential of docs/numerics.md in real numbers. T types, M1 channels.

    Attributes:
        type_map: element symbols.
        rcut_A: cutoff, Å.
        m2: axis neurons.
        normalization: N of ``X = (1/N) Σ Rᵀ G``.
        features: per feature table, ``r`` [n] Å → ``G`` [n, M1] before the gate.
        feature_table: int [T, T], (center, neighbor) → feature table.
        radial: per scalar table, ``r`` → ``s`` over its scale; angular: ``r`` → ``s/r`` over its scale, in 1/Å.
        scalar_table: int [T, T].
        guard: (center, neighbor, ``r``) → ``½ V`` in eV, zero beyond guard_end_A.
        guard_end_A: range of the guard, Å; 0 switches it off.
        gate: ``1 + t_ab`` [T, T, M1], or None.
        weights, biases: hidden layers, [T, out, in] and [T, out].
        out_weight, out_bias: [T, width] eV, [T] eV.
        energy_bias_eV: [T].
        skip: per hidden layer.
    """

    type_map: tuple[str, ...]
    rcut_A: float
    m2: int
    normalization: float
    features: tuple[Callable[[Array], Array], ...]
    feature_table: NDArray[Any]
    radial: tuple[Callable[[Array], Array], ...]
    angular: tuple[Callable[[Array], Array], ...]
    scalar_table: NDArray[Any]
    guard: Callable[[int, int, Array], Array]
    guard_end_A: float
    gate: Array | None
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    out_weight: Array
    out_bias: Array
    energy_bias_eV: Array
    skip: tuple[bool, ...]

    @property
    def norm_shift(self) -> int:
        """Power of two in ``1/N = kappa * 2**-norm_shift``."""
        return int(np.floor(np.log2(self.normalization)))

    @property
    def kappa(self) -> float:
        """Rest of ``1/N``, in (1/2, 1]."""
        return 2.0**self.norm_shift / self.normalization


def fast_switch(r: Array, rcut_smth: float, rcut: float) -> Array:
    """DeePMD-kit's switch ``w(r)``: 1, then ``u³(-6u² + 15u - 10) + 1``, then 0."""
    u = np.clip((r - rcut_smth) / (rcut - rcut_smth), 0.0, 1.0)
    return u**3 * (-6 * u**2 + 15 * u - 10) + 1
