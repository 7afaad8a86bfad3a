"""The feature tables as functions of the embedding nets: the parabolas through their values at the nodes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from nvnmd.quantize.formats import NumberFormats
from nvnmd.quantize.from_float import channel_scales, embedding_values, feature_tables
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.nodes import parabola
from nvnmd.quantize.qat.quantizers import REAL, WordQuantizer, round_to
from nvnmd.quantize.qat.stages import ALL, Stages
from nvnmd.training.environment import switch
from nvnmd.training.model import DeepPot


class _Tables(nn.Module):
    """What both kinds of feature tables share: number formats and the gate."""

    def __init__(self, f: NumberFormats, gated: bool, on: Stages) -> None:
        super().__init__()
        self.on = on
        frac = f.feature_frac + gated
        self.fractions = frac, frac + f.feature_shift
        self.gated_fractions = f.feature_frac, f.feature_frac + f.feature_shift

    def coefficients(self) -> Tensor:
        """Real coefficients of all used segments, [tables, segments, 3, M1]."""
        raise NotImplementedError

    def gates(self) -> Tensor | None:
        """[n_types^2, M1] as the forward pass uses them, or None."""
        raise NotImplementedError

    def apply_gate(self, value: Tensor, slope: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """Gated words of G and its slope; all [n, M1]."""
        value, slope = value * gate, slope * gate
        if "gate" not in self.on:
            return value, slope
        return round_to(value, self.gated_fractions[0]), round_to(slope, self.gated_fractions[1])


class FixedTables(_Tables):
    """The feature tables and gates of an integer model, as they are."""

    def __init__(self, integer: IntegerModel) -> None:
        super().__init__(integer.formats, integer.gate is not None, ALL)
        steps = torch.tensor([self.fractions[0], self.fractions[1], self.fractions[1]], dtype=REAL)
        words = torch.from_numpy(integer.feature_coef[:, integer.u_min >> 15 :].astype(np.float64))
        self._coefficients = words * torch.exp2(-steps)[:, None]
        gate = None if integer.gate is None else torch.from_numpy(integer.gate * 2.0**-14)
        self._gates = None if gate is None else gate.flatten(0, 1)

    def coefficients(self) -> Tensor:
        return self._coefficients

    def gates(self) -> Tensor | None:
        return self._gates


class FeatureTables(_Tables):
    """Coefficients of all feature tables as functions of the embedding nets, and trainable gates.

    Attributes:
        weights, biases: of the embedding nets, per layer [n_nets, n_in, n_out] and [n_nets, n_out].
        gate: [n_types^2, M1], ``1 + t_ab`` over the channel scales, or None.
    """

    inputs: Tensor
    scale: Tensor

    def __init__(self, model: DeepPot, integer: IntegerModel, on: Stages) -> None:
        f = integer.formats
        super().__init__(f, integer.gate is not None, on)
        self.weights = nn.ParameterList([nn.Parameter(w.detach().to(REAL).clone()) for w in model.embedding.weights])
        self.biases = nn.ParameterList([nn.Parameter(b.detach().to(REAL).clone()) for b in model.embedding.biases])
        scale = torch.from_numpy(channel_scales(model))
        self.register_buffer("scale", scale, persistent=False)
        self.gate = None if model.gate is None else nn.Parameter((1.0 + model.gate.detach().to(REAL)) / scale)
        tables, _ = feature_tables(model)
        self.nets = [net for net, _ in tables]
        start = integer.u_min >> 15
        width = 2.0**-f.seg_frac
        half = np.sqrt(
            np.arange(2 * start, 2 * integer.n_seg + 1) * (width / 2)
        )  # nodes of neighboring segments coincide
        s = switch(half, model.shape.rcut_smth, model.shape.rcut)[0]
        inputs = np.stack([s / scale for _, scale in tables])
        self.register_buffer("inputs", torch.from_numpy(inputs), persistent=False)
        self.c0_word = WordQuantizer(self.fractions[0], 16)
        self.slope_word = WordQuantizer(self.fractions[1], 16)
        self.gate_word = WordQuantizer(14, 16)

    def nodes(self) -> Tensor:
        """G at all nodes, [tables, 2 * segments + 1, M1]."""
        weights, biases = [w[self.nets] for w in self.weights], [b[self.nets] for b in self.biases]
        return self.scale * embedding_values(self.inputs, weights, biases)

    def coefficients(self) -> Tensor:
        g = self.nodes()
        c0, c1, c2 = parabola(g[:, :-2:2], g[:, 1:-1:2], g[:, 2::2])
        if "feature_table" in self.on:
            c0, c1, c2 = self.c0_word(c0), self.slope_word(c1), self.slope_word(c2)
        return torch.stack([c0, c1, c2], dim=2)

    def gates(self) -> Tensor | None:
        if self.gate is None or "gate" not in self.on:
            return self.gate
        return self.gate_word(self.gate)  # type: ignore[no-any-return]
