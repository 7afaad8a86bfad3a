"""From a packed frame to a word batch: the fixed tables, in real numbers that are exact words."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nvnmd.quantize.choose import TableNodes
from nvnmd.quantize.formats import NumberFormats
from nvnmd.quantize.integer_model import IntArray, IntegerModel
from nvnmd.quantize.nodes import parabola
from nvnmd.quantize.packing import FrameWords
from nvnmd.quantize.qat.stages import ALL, Stages
from nvnmd.quantize.qat.words import PADDED, WordBatch


def prepare_words(
    model: IntegerModel, words: FrameWords, name: str = "frame", on: Stages = ALL, nodes: TableNodes | None = None
) -> WordBatch:
    """Compute everything that the fixed tables give for a packed frame.

    Args:
        model: the integer model.
        words: neighbor words; their displacements may be unrounded (real, in units of a word) without "positions".
        name: for messages.
        on: stages that round.
        nodes: real tables, used for the radial and angular tables without "scalar_tables".
    """
    f, types, first = model.formats, words.types, words.first
    center = np.repeat(np.arange(len(types)), np.diff(first))
    kinds = types[center], types[words.neighbor]
    x = words.displacement * 2.0**-f.dx_frac
    u, u_min = _round((x * x).sum(axis=1), f.u_frac, "positions" in on), model.u_min * 2.0**-f.u_frac
    too_close = int(np.count_nonzero(u < u_min))
    u = np.maximum(u, u_min)
    seg = np.floor(u * 2.0**f.seg_frac).astype(np.int64)
    t = u * 2.0**f.seg_frac - seg
    start = model.u_min >> 15
    coarse = 2.0 ** (15 - f.feature_shift)
    pair, clipped = _environment(f, _scalars(model, kinds, (seg, t), on, nodes), x, "R" in on)
    guard, guard_slope = _guard(model, kinds, seg, t)
    pair |= {
        "rows": model.feature_table[kinds] * (model.n_seg - start) + seg - start + 1,
        "gates": kinds[0] * model.n_types + kinds[1],
        "t": t,
        "t_coarse": np.floor(t * coarse) / coarse if "feature_table" in on else t,
        "x": x,
        "guard_slope": guard_slope,
        "neighbors": words.neighbor,
    }
    column = np.arange(len(center)) - first[center]
    shape = len(types), int(np.diff(first).max(initial=0))
    padded: dict[str, Any] = {key: _padded(np.asarray(pair[key]), center, column, shape) for key in PADDED}
    return WordBatch(
        names=(name,),
        atoms=(len(types),),
        types=torch.from_numpy(types.copy()),
        frame_of_atom=torch.zeros(len(types), dtype=torch.int64),
        guard=torch.from_numpy(np.bincount(center, guard, minlength=len(types))),
        clipped=clipped,
        too_close=too_close,
        **padded,
    )


Kinds = tuple[IntArray, IntArray]
Real = NDArray[np.float64]


def _round(x: Real, frac: int, on: bool) -> Real:
    return np.floor(x * 2.0**frac + 0.5) * 2.0**-frac if on else x


def _wide(coef: Real, t: Real, fractions: tuple[int, int], on: bool) -> tuple[Real, Real]:
    """The wide form on real coefficients [..., 3]; ``fractions`` of value and slope."""
    q = _round(t * coef[..., 2], fractions[1], on)
    d = coef[..., 1] + q
    return coef[..., 0] + _round(t * d, fractions[0], on), d + q


def _scalars(
    model: IntegerModel, kinds: Kinds, place: tuple[IntArray, Real], on: Stages, nodes: TableNodes | None
) -> tuple[Real, Real, Real, Real]:
    """Radial value and slope, angular value and slope."""
    f, (seg, t) = model.formats, place
    table, rounds = model.scalar_table[kinds], "scalar_tables" in on
    radial, angular = (f.s_frac, f.s_frac + f.s_shift), (f.h_frac, f.h_frac + f.h_shift)
    if rounds or nodes is None:
        coef = model.scalar_coef[table, seg].astype(np.float64)
        steps = [[-frac, -slope, -slope] for frac, slope in (radial, angular)]
        coef = coef * 2.0 ** np.array(steps, np.float64)
    else:
        row = seg - (model.u_min >> 15)
        coef = np.stack(
            [
                np.stack(parabola(*np.moveaxis(part[table, row], 1, 0)), axis=1)
                for part in (nodes.radial, nodes.angular)
            ],
            axis=1,
        )
    return *_wide(coef[:, 0], t, radial, rounds), *_wide(coef[:, 1], t, angular, rounds)


def _environment(
    f: NumberFormats, scalars: tuple[Real, Real, Real, Real], x: Real, on: bool
) -> tuple[dict[str, Any], int]:
    s, sp, h, hp = scalars
    exact = _round(np.concatenate([s[:, None], h[:, None] * x], axis=1), f.env_frac, on)
    top = 32767 * 2.0**-f.env_frac
    env = np.clip(exact, -top, top)
    return {"env": env, "h": h, "hp": hp, "sp": sp}, int(np.count_nonzero(env != exact))


def _guard(model: IntegerModel, kinds: Kinds, seg: IntArray, t: Real) -> tuple[Real, Real]:
    f, inside = model.formats, seg < model.n_guard
    coef = np.zeros((len(seg), 3))
    coef[inside] = model.guard_coef[model.guard_table[kinds][inside], seg[inside]]
    slope_frac = f.e_frac + f.guard_shift
    coef *= 2.0 ** np.array([-f.e_frac, -slope_frac, -slope_frac], np.float64)
    value, slope = _wide(coef, t, (f.e_frac, slope_frac), True)
    return value, slope * 2.0**f.seg_frac


def _padded(values: Any, center: IntArray, column: IntArray, shape: tuple[int, int]) -> Tensor:
    table = np.zeros((*shape, *values.shape[1:]), values.dtype)
    table[center, column] = values
    return torch.from_numpy(table)
