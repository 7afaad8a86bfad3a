"""The integer model: tables, weights and sizes that the specification of docs/numerics.md runs on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from nvnmd.quantize.formats import NumberFormats

IntArray = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class IntegerModel:
    """One potential in integers. Shapes: T types, M1 channels, L hidden layers.

    Attributes:
        type_map: element symbols, index = type.
        rcut_A: cutoff radius, Å.
        u_cut: ``r²`` at the cutoff, ``u_frac`` fraction bits.
        u_min: start of the tables, a multiple of ``2**15``.
        m2: columns of X used on the right of D (axis neurons).
        max_neighbors: most neighbors of one atom.
        skip: per hidden layer, whether its input is added to its output.
        feature_coef: int16 [tables, segments, 3, M1].
        scalar_coef: int32 [tables, segments, 2, 3]; radial ``s``, then angular ``h``.
        guard_coef: int32 [tables, guard segments, 3].
        feature_table, scalar_table, guard_table: int32 [T, T], (center type, neighbor type) → table.
        gate: int16 [T, T, M1] with 14 fraction bits, or None.
        weights: L arrays int16 [T, out, in].
        biases: L arrays int32 [T, out].
        out_weight: int16 [T, width]; out_bias: int32 [T].
        energy_bias: int64 [T], ``e_frac``.
        tanh_coef: int16 [segments, 3].
        formats: number formats.
        provenance: JSON data: where the model comes from.
    """

    type_map: tuple[str, ...]
    rcut_A: float
    u_cut: int
    u_min: int
    m2: int
    max_neighbors: int
    skip: tuple[bool, ...]
    feature_coef: IntArray
    scalar_coef: IntArray
    guard_coef: IntArray
    feature_table: IntArray
    scalar_table: IntArray
    guard_table: IntArray
    gate: IntArray | None
    weights: tuple[IntArray, ...]
    biases: tuple[IntArray, ...]
    out_weight: IntArray
    out_bias: IntArray
    energy_bias: IntArray
    tanh_coef: IntArray
    formats: NumberFormats
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def n_types(self) -> int:
        """Number of element types."""
        return len(self.type_map)

    @property
    def m1(self) -> int:
        """Channels of the embedding."""
        return int(self.feature_coef.shape[3])

    @property
    def n_seg(self) -> int:
        """Table segments from ``r² = 0`` to the cutoff."""
        return int(self.feature_coef.shape[1])

    @property
    def n_guard(self) -> int:
        """Segments of the guard table."""
        return int(self.guard_coef.shape[1])

    @property
    def n_layers(self) -> int:
        """Hidden layers of the fitting network."""
        return len(self.weights)

    @cached_property
    def tensors(self) -> dict[str, IntArray]:
        """Every integer tensor under its name in the model file."""
        named = {
            "feature.coef": self.feature_coef,
            "scalar.coef": self.scalar_coef,
            "guard.coef": self.guard_coef,
            "feature.table": self.feature_table,
            "scalar.table": self.scalar_table,
            "guard.table": self.guard_table,
            "fit.out.weight": self.out_weight,
            "fit.out.bias": self.out_bias,
            "energy_bias": self.energy_bias,
            "tanh.coef": self.tanh_coef,
        }
        if self.gate is not None:
            named["gate"] = self.gate
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True), start=1):
            named[f"fit.weight.{layer}"] = weight
            named[f"fit.bias.{layer}"] = bias
        return named

    def validate(self) -> IntegerModel:
        """Check every guarantee of docs/numerics.md, section 10, and return the model.

        Raises:
            QuantizeError: naming the first guarantee that does not hold.
        """
        from nvnmd.quantize.validation import check_model

        check_model(self)
        return self
