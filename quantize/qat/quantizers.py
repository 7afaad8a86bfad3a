"""Brevitas quantizers with the rounding, the clamp and the power-of-two scales of docs/numerics.md, section 1."""

from __future__ import annotations

import torch
from brevitas.core.bit_width import BitWidthConst
from brevitas.core.function_wrapper import Identity
from brevitas.core.quant import IntQuant, RescalingIntQuant
from brevitas.core.scaling import ConstScaling, PowerOfTwoIntScaling
from brevitas.core.zero_point import ZeroZeroPoint
from brevitas.function.ops_ste import floor_ste
from torch import Tensor, nn

REAL = torch.float64


class RoundHalfUp(nn.Module):
    """``floor(x + 1/2)`` with a straight-through gradient: ``rnd`` of the specification on real words."""

    def forward(self, x: Tensor) -> Tensor:
        """Round every element to an integer."""
        return floor_ste(x + 0.5)  # type: ignore[no-any-return]


def round_to(x: Tensor, frac: int) -> Tensor:
    """Round to ``frac`` fraction bits without saturation, straight-through."""
    return floor_ste(x * 2.0**frac + 0.5) * 2.0**-frac  # type: ignore[no-any-return]


class WordQuantizer(nn.Module):
    """A stage: rounds half up to ``frac`` fraction bits and saturates symmetrically to ``bits`` bits.

    The gradient passes where the word is not clipped and is zero where it is.

    Attributes:
        clipped: words that the last call clipped, when ``count`` is set.
    """

    def __init__(self, frac: int, bits: int) -> None:
        super().__init__()
        self.frac, self.bits = frac, bits
        self.count, self.clipped = False, 0
        self.quant = RescalingIntQuant(
            int_quant=IntQuant(
                narrow_range=True, signed=True, input_view_impl=Identity(), float_to_int_impl=RoundHalfUp()
            ),
            scaling_impl=ConstScaling(2.0 ** (bits - 1 - frac), dtype=REAL),
            int_scaling_impl=PowerOfTwoIntScaling(signed=True),
            zero_point_impl=ZeroZeroPoint(dtype=REAL),
            bit_width_impl=BitWidthConst(bits, dtype=REAL),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Quantize; the result has the value of its word."""
        if self.count:
            top = 2.0 ** (self.bits - 1) - 1
            self.clipped = int((torch.floor(x.detach() * 2.0**self.frac + 0.5).abs() > top).sum())
        return self.quant(x)[0]  # type: ignore[no-any-return]
