"""Table look-ups of the specification as autograd functions on real words (docs/numerics.md, sections 3 and 6)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def _half_up(x: Tensor, scale: float) -> Tensor:
    """Round ``x * scale`` half up and scale back, in place."""
    return x.mul_(scale).add_(0.5).floor_().mul_(1.0 / scale)


class NarrowTable(torch.autograd.Function):
    """Value and slope of the narrow form for many pairs and all channels at once.

    The gradient is that of the parabola without rounding.
    """

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, coef: Tensor, rows: Tensor, t: Tensor, t_coarse: Tensor, fractions: tuple[int, int] | None
    ) -> tuple[Tensor, Tensor]:
        """Evaluate.

        Args:
            coef: [rows, 3, M1] real coefficients of all segments of all tables.
            rows: [n] row of each pair.
            t, t_coarse: [n] position in the segment, and the same without its last ``shift`` bits.
            fractions: fraction bits of value and slope; None computes without rounding.

        Returns:
            value, slope: [n, M1].
        """
        c = coef.index_select(0, rows)
        t, t_coarse = t.unsqueeze(1), t_coarse.unsqueeze(1)
        q = c[:, 2] * t
        if fractions is not None:
            _half_up(q, 2.0 ** fractions[1])
        slope = c[:, 1] + q
        value = slope * t_coarse
        if fractions is not None:
            _half_up(value, 2.0 ** fractions[0])
        ctx.save_for_backward(rows, t, t_coarse)
        ctx.shape = coef.shape
        return value.add_(c[:, 0]), slope.add_(q)

    @staticmethod
    def backward(ctx: Any, grad_value: Tensor, grad_slope: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        rows, t, t_coarse = ctx.saved_tensors
        linear = torch.addcmul(grad_slope, grad_value, t_coarse)
        square = (linear + grad_slope).mul_(t)
        grad = torch.stack([grad_value, linear, square], dim=1)
        return grad.new_zeros(ctx.shape).index_add_(0, rows, grad), None, None, None, None


class TanhTable(torch.autograd.Function):
    """``(act, φ)`` of clamped words ``zt``; the gradients are those of tanh and of its derivative."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, zt: Tensor, coef: Tensor, formats: tuple[int, int, int, int]
    ) -> tuple[Tensor, Tensor]:
        """Evaluate.

        Args:
            zt: any shape, with ``z_frac`` fraction bits.
            coef: [segments, 3] coefficient words of the tanh table.
            formats: ``z_frac``, ``tanh_seg_bits``, ``tanh_shift``, ``act_frac``.
        """
        z_frac, seg_bits, shift, act_frac = formats
        word = zt * 2.0**z_frac
        magnitude = word.abs()
        segment = torch.floor(magnitude * 2.0**-seg_bits)
        t = (magnitude - segment * 2.0**seg_bits) * 2.0 ** (15 - seg_bits)
        c0, c1, c2 = coef[segment.long()].unbind(-1)
        q = torch.floor(t * c2 * 2.0**-15 + 0.5)
        d = c1 + q
        value = c0 + torch.floor(torch.floor(t * 2.0**-shift) * d * 2.0**-15 + 0.5)
        act = torch.where(word < 0, -value, value) * 2.0**-act_frac
        slope = (d + q) * 2.0**-15
        ctx.save_for_backward(act, slope)
        return act, slope

    @staticmethod
    def backward(ctx: Any, grad_act: Tensor, grad_slope: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        act, slope = ctx.saved_tensors
        return slope * (grad_act - 2.0 * act * grad_slope), None, None
