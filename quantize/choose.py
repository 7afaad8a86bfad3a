"""Choose the number formats of a model from the ranges of its tables, weights and stages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nvnmd.quantize.fixed import limit
from nvnmd.quantize.float_spec import Array, FloatSpec
from nvnmd.quantize.formats import NumberFormats
from nvnmd.quantize.fractions import align, table_fractions, weight_fractions
from nvnmd.quantize.nodes import fraction_bits, parabola, segment_nodes


@dataclass(frozen=True)
class CompileOptions:
    """Settings of the compiler.

    Attributes:
        table_start_A: shortest distance that the tables hold, Å.
        u_frac: fraction bits of ``r²``; segments are ``2**(15 - u_frac)`` Å² wide.
        max_neighbors: most neighbors of one atom.
        z_frac: fraction bits of the input of the tanh table, which then ends at ``2**(15 - z_frac)``.
        weight_bits: width of the fitting weights.
        headroom: factor between the largest value seen on calibration atoms and the word's range.
    """

    table_start_A: float = 1.5
    u_frac: int = 18
    max_neighbors: int = 64
    z_frac: int = 13
    weight_bits: int = 16
    headroom: float = 2.0

    def first_segment(self) -> int:
        """First segment that holds data."""
        return max(1, int(self.table_start_A**2 * 2.0 ** (self.u_frac - 15)))


@dataclass(frozen=True)
class TableNodes:
    """Real values of every table at the nodes of its segments (from the first used segment on).

    Attributes:
        features: [tables, segments, 3, M1]; radial, angular: [tables, segments, 3].
        guard: [pairs of types, guard segments, 3], see ``guard_pairs``; one table without segments if it is off.
    """

    features: Array
    radial: Array
    angular: Array
    guard: Array


def sample_tables(spec: FloatSpec, options: CompileOptions) -> TableNodes:
    """Evaluate the functions of ``spec`` at the nodes; ``κ`` of the normalization goes into ``s`` and ``h``."""
    n_seg = table_segments(spec, options)
    r = np.sqrt(segment_nodes(n_seg, options.first_segment(), 2.0 ** (15 - options.u_frac)))
    flat = r.reshape(-1)
    features = np.stack([function(flat).reshape(*r.shape, -1) for function in spec.features])
    radial = np.stack([spec.kappa * function(flat).reshape(r.shape) for function in spec.radial])
    angular = np.stack([spec.kappa * function(flat).reshape(r.shape) for function in spec.angular])
    return TableNodes(features, radial, angular, _sample_guard(spec, options))


def guard_pairs(n_types: int) -> list[tuple[int, int]]:
    """Pairs of types in the order of their guard tables."""
    return [(a, b) for a in range(n_types) for b in range(a, n_types)]


def _sample_guard(spec: FloatSpec, options: CompileOptions) -> Array:
    first, width = options.first_segment(), 2.0 ** (15 - options.u_frac)
    count = min(int(np.ceil(spec.guard_end_A**2 / width)), table_segments(spec, options))
    if count <= first:
        return np.zeros((1, 0, 3))
    r = np.sqrt(segment_nodes(count, first, width))
    pairs = guard_pairs(len(spec.type_map))
    return np.stack([spec.guard(a, b, r.reshape(-1)).reshape(r.shape) for a, b in pairs])


def table_segments(spec: FloatSpec, options: CompileOptions) -> int:
    """Segments from zero to the cutoff."""
    return -(-round(spec.rcut_A**2 * 2.0**options.u_frac) >> 15)


def choose_formats(
    spec: FloatSpec, nodes: TableNodes, peaks: dict[str, float], options: CompileOptions
) -> NumberFormats:
    """Choose every fraction: the largest that holds the ranges, with ``headroom`` for stages that data decide.

    Args:
        peaks: from ``ranges.stage_peaks``.
    """
    layers, seg_frac = len(spec.weights), options.u_frac - 15
    stage = {name: peak * options.headroom for name, peak in peaks.items()}
    gated = 0 if spec.gate is None else 1
    # Fine-tuning moves the features; two percent of the words are left for it.
    feature_frac, feature_shift = table_fractions(nodes.features, 32100, 32100, 32100, most=14)
    s_frac, s_shift = table_fractions(nodes.radial, (1 << 26) - 1, (1 << 26) - 1, (1 << 26) - 1, most=22)
    h_frac, h_shift = table_fractions(nodes.angular, (1 << 26) - 1, (1 << 26) - 1, (1 << 26) - 1, most=22)
    env_frac = min(fraction_bits(max(np.abs(nodes.radial).max(), _angular_peak(nodes, options)), 32767, 15), s_frac)
    x_frac = min(fraction_bits(stage["X"], limit(15), 15), env_frac + feature_frac - gated + spec.norm_shift)
    # A shift of at most 16 keeps the sums of X inside 32-bit lanes on normal atoms; R has bits to spare, because N of
    # them are averaged.
    env_frac -= max(0, min(env_frac - 10, env_frac + feature_frac - gated + spec.norm_shift - x_frac - 16))
    d_frac = min(fraction_bits(stage["D"], 32767, 15), 2 * x_frac)
    act = min(14, int(np.log2(32767 / (1 + sum(spec.skip)))))
    weight_frac = tuple(weight_fractions(spec, options.weight_bits, [d_frac] + [act] * layers))
    grad_frac = [0] * layers + [weight_frac[layers]]
    for layer in range(layers, 0, -1):
        grad_frac[layer - 1] = min(
            fraction_bits(stage[f"g{layer - 1}"], 32767, 15), grad_frac[layer] + weight_frac[layer - 1]
        )
    y_frac = min(fraction_bits(stage["Y"], 32767, 24), grad_frac[0] + x_frac)
    gated_frac = feature_frac - gated
    a_frac = min(fraction_bits(stage["A"], limit(18), 24), y_frac + gated_frac + spec.norm_shift)
    b_frac = min(
        fraction_bits(stage["B"] * 2.0**-seg_frac, limit(18), 30), y_frac + gated_frac + feature_shift + spec.norm_shift
    )
    v_frac = min(fraction_bits(stage["V"], limit(18), 24), a_frac + 14)
    p_frac = _p_fraction(nodes.guard, seg_frac)
    formats = NumberFormats(
        feature_frac=gated_frac,
        feature_shift=feature_shift,
        s_frac=s_frac,
        s_shift=s_shift,
        h_frac=h_frac,
        h_shift=h_shift,
        env_frac=env_frac,
        norm_shift=spec.norm_shift,
        x_frac=x_frac,
        d_frac=d_frac,
        weight_frac=weight_frac,
        act_frac=(d_frac, *[act] * layers),
        grad_frac=tuple(grad_frac),
        y_frac=y_frac,
        a_frac=a_frac,
        b_frac=b_frac,
        v_frac=v_frac,
        u_frac=options.u_frac,
        weight_bits=options.weight_bits,
        z_frac=options.z_frac,
        tanh_shift=6 - act + options.z_frac,
        p_frac=p_frac,
        e_frac=min(22, weight_frac[layers] + act, p_frac + seg_frac),
    )
    return align(formats)


def _p_fraction(guard: Array, seg_frac: int) -> int:
    """Fraction bits of P: 20, or fewer where the guard is steep: its slope has the same ones."""
    _, c1, c2 = parabola(*np.moveaxis(guard, 2, 0))
    steepest = max(np.abs(part).max(initial=0.0) for part in (c1, c1 + 2 * c2, c2))
    return min(20, fraction_bits(float(steepest), (1 << 26) - 2, 30) - seg_frac)


def _angular_peak(nodes: TableNodes, options: CompileOptions) -> float:
    u = segment_nodes(
        nodes.angular.shape[1] + options.first_segment(), options.first_segment(), 2.0 ** (15 - options.u_frac)
    )
    return float((np.abs(nodes.angular) * np.sqrt(u)).max()) * 1.001
