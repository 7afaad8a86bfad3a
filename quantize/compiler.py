"""The compiler: from a float potential and formats to the integer model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nvnmd.quantize.choose import CompileOptions, TableNodes, choose_formats, guard_pairs, sample_tables, table_segments
from nvnmd.quantize.errors import QuantizeError
from nvnmd.quantize.float_spec import Array, FloatSpec
from nvnmd.quantize.formats import NumberFormats
from nvnmd.quantize.integer_model import IntArray, IntegerModel
from nvnmd.quantize.nodes import parabola, tanh_coefficients
from nvnmd.quantize.ranges import stage_peaks
from nvnmd.quantize.reference import AtomInput


def compile_model(
    spec: FloatSpec,
    atoms: Iterable[AtomInput],
    options: CompileOptions | None = None,
    provenance: dict[str, Any] | None = None,
) -> IntegerModel:
    """Quantize ``spec`` after training: choose formats on calibration ``atoms``, round everything once.

    Raises:
        QuantizeError: a range does not fit, with what to try.
    """
    options = options or CompileOptions()
    nodes = sample_tables(spec, options)
    try:
        formats = choose_formats(spec, nodes, stage_peaks(spec, atoms, 14), options)
    except (ValueError, KeyError) as error:
        raise QuantizeError(f"cannot choose number formats: {error}") from error
    return build_model(spec, nodes, formats, options, provenance or {})


def build_model(
    spec: FloatSpec, nodes: TableNodes, formats: NumberFormats, options: CompileOptions, provenance: dict[str, Any]
) -> IntegerModel:
    """Round tables and weights in the given formats and check every guarantee."""
    f, first, n_seg = formats, options.first_segment(), table_segments(spec, options)
    gated = 0 if spec.gate is None else 1
    scalar = np.stack(
        [table_words(nodes.radial, f.s_frac, f.s_shift, first), table_words(nodes.angular, f.h_frac, f.h_shift, first)],
        axis=2,
    )
    features = table_words(nodes.features, f.feature_frac + gated, f.feature_shift, first)
    guard = table_words(nodes.guard, f.e_frac, f.guard_shift, first if nodes.guard.size else 0)
    layers, sums = range(len(spec.weights)), [w + a for w, a in zip(f.weight_frac, f.act_frac, strict=True)]
    return IntegerModel(
        type_map=spec.type_map,
        rcut_A=spec.rcut_A,
        u_cut=round(spec.rcut_A**2 * 2.0**f.u_frac),
        u_min=first << 15,
        m2=spec.m2,
        max_neighbors=options.max_neighbors,
        skip=spec.skip,
        feature_coef=cast("feature table", np.moveaxis(features, -1, 2), np.int16),
        scalar_coef=cast("scalar table", scalar, np.int32),
        guard_coef=cast("guard table", guard[:, :n_seg], np.int32),
        feature_table=np.asarray(spec.feature_table, np.int32),
        scalar_table=np.asarray(spec.scalar_table, np.int32),
        guard_table=_guard_table(len(spec.type_map), len(guard)),
        gate=None if spec.gate is None else cast("gate", words(spec.gate, 14), np.int16),
        weights=tuple(cast("weight", words(spec.weights[n], f.weight_frac[n]), np.int16) for n in layers),
        biases=tuple(cast("bias", words(spec.biases[n], sums[n]), np.int32) for n in layers),
        out_weight=cast("output weight", words(spec.out_weight, f.weight_frac[-1]), np.int16),
        out_bias=cast("output bias", words(spec.out_bias, sums[-1]), np.int32),
        energy_bias=words(spec.energy_bias_eV, f.e_frac),
        tanh_coef=tanh_coefficients(f.act_frac[1], f.z_frac, f.tanh_seg_bits, f.tanh_shift),
        formats=f,
        provenance=provenance,
    ).validate()


def words(values: Array, frac: int) -> IntArray:
    """Nearest integers of ``values * 2**frac``, half up; once, at compile time."""
    return np.floor(np.asarray(values, np.float64) * 2.0**frac + 0.5).astype(np.int64)


def cast(name: str, values: IntArray, dtype: Any) -> IntArray:
    """The same integers in a narrower type.

    Raises:
        QuantizeError: one does not fit.
    """
    top = np.iinfo(dtype).max
    if values.size and int(np.abs(values).max()) > top:
        raise QuantizeError(f"the {name} needs words up to {int(np.abs(values).max())}, more than {top}")
    return values.astype(dtype)


def table_words(nodes: Array, frac: int, shift: int, first: int) -> IntArray:
    """Coefficient words of tables sampled as [tables, segments, 3, ...]: int64 [tables, first + segments, ..., 3]."""
    c0, c1, c2 = parabola(*np.moveaxis(nodes, 2, 0))
    rows = np.stack([words(c0, frac), words(c1, frac + shift), words(c2, frac + shift)], axis=-1)
    return np.concatenate([np.zeros((rows.shape[0], first, *rows.shape[2:]), np.int64), rows], axis=1)


def _guard_table(n_types: int, n_tables: int) -> IntArray:
    """Which guard table a pair of types uses; tables are in the order of ``choose.guard_pairs``."""
    table = np.zeros((n_types, n_types), np.int32)
    for index, (a, b) in enumerate(guard_pairs(n_types)[:n_tables]):
        table[a, b] = table[b, a] = index
    return table
