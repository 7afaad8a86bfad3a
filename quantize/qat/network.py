"""The fitting network in words, forward and backward, for atoms of all types (docs/numerics.md, sections 6, 7)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nvnmd.quantize.formats import NumberFormats
from nvnmd.quantize.nodes import tanh_coefficients
from nvnmd.quantize.qat.quantizers import REAL, WordQuantizer, round_to
from nvnmd.quantize.qat.stages import Stages
from nvnmd.quantize.qat.tables import TanhTable


class FittingWords(nn.Module):
    """Weights and activations in words.

    Attributes:
        weights: per layer [n_types, out, in], the output row last with out = 1; biases: per layer [n_types, out].
        correction: [n_types, 1] words in eV added to the output bias, by which quantization after training moved it.
        on: stages that round.
    """

    correction: Tensor

    def __init__(
        self, weights: Sequence[Tensor], biases: Sequence[Tensor], skip: Sequence[bool], f: NumberFormats, on: Stages
    ) -> None:
        super().__init__()
        self.formats, self.skip, self.on = f, tuple(skip), on
        self.weights = nn.ParameterList([nn.Parameter(w.to(REAL).clone()) for w in weights])
        self.biases = nn.ParameterList([nn.Parameter(b.to(REAL).clone()) for b in biases])
        layers = len(self.skip)
        self.weight_words = nn.ModuleList([WordQuantizer(frac, f.weight_bits) for frac in f.weight_frac])
        sums = [w + a for w, a in zip(f.weight_frac, f.act_frac, strict=True)]
        self.bias_words = nn.ModuleList([WordQuantizer(frac, 32) for frac in sums])
        self.z_word, self.z_top = WordQuantizer(f.z_frac, 16), 32767 * 2.0**-f.z_frac
        self.h_words = nn.ModuleList([WordQuantizer(f.act_frac[layer + 1], 16) for layer in range(layers)])
        self.grad_words = nn.ModuleList([WordQuantizer(f.grad_frac[layer], 16) for layer in range(layers)])
        self.register_buffer("correction", torch.zeros_like(self.biases[-1]), persistent=False)
        table = tanh_coefficients(f.act_frac[1], f.z_frac, f.tanh_seg_bits, f.tanh_shift)
        self.register_buffer("tanh_coef", torch.from_numpy(table).to(REAL), persistent=False)

    @torch.no_grad()
    def keep_in_range(self) -> None:
        """Shrink weights whose sums could leave 32 bits (docs/numerics.md, section 10), by rows and columns.

        Does nothing to weights that ``fractions.weight_fractions`` allows.
        """
        skips = (*self.skip, False)
        fractions = zip(self.formats.weight_frac, self.formats.act_frac, strict=True)
        for weight, bias, skip, (frac, act) in zip(self.weights, self.biases, skips, fractions, strict=True):
            scale = 32767 * 2.0**frac
            # Rounding can add half a unit to every weight of a sum.
            rows = 2.0**31 - 1 - 32767 * weight.shape[2] / 2 - bias.abs() * 2.0 ** (frac + act)
            weight.mul_((rows / (weight.abs().sum(2) * scale)).clamp(0.0, 1.0).unsqueeze(2))
            columns = 2.0**31 - 1 - 32767 * weight.shape[1] / 2 - skip * scale
            weight.mul_((columns / (weight.abs().sum(1) * scale)).clamp(0.0, 1.0).unsqueeze(1))

    def words(self) -> tuple[list[Tensor], list[Tensor]]:
        """Weights and biases as the forward pass uses them."""
        if "weights" not in self.on:
            return list(self.weights), list(self.biases)
        weights = [quant(w) for quant, w in zip(self.weight_words, self.weights, strict=True)]
        biases = [quant(b) for quant, b in zip(self.bias_words, self.biases, strict=True)]
        return weights, [*biases[:-1], biases[-1] + self.correction]

    def forward(self, d: Tensor, counts: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Energy and gradient.

        Args:
            d: [n_atoms, in], atoms sorted by type.
            counts: atoms of each type.

        Returns:
            E_net [n_atoms] eV, gD [n_atoms, in].
        """
        if torch.is_grad_enabled():  # between steps of training
            self.keep_in_range()
        weights, biases = self.words()
        f, last = self.formats, len(self.skip)
        h, slopes = d, []
        for layer, has_skip in enumerate(self.skip):
            z = _by_type(h, weights[layer].transpose(1, 2), counts, biases[layer])
            act, slope = self._tanh(z)
            slopes.append(slope)
            out = h + act if has_skip else act
            h = self.h_words[layer](out) if has_skip and "H" in self.on else out
        energy = _by_type(h, weights[last].transpose(1, 2), counts, biases[last]).squeeze(1)
        energy = round_to(energy, f.e_frac) if "E" in self.on else energy
        g = torch.cat([row.expand(count, -1) for row, count in zip(weights[last], counts, strict=True)])
        for layer in range(last - 1, -1, -1):
            gz = g * slopes[layer]
            gz = round_to(gz, f.grad_frac[layer + 1]) if "gz" in self.on else gz
            through = _by_type(gz, weights[layer], counts)
            g = through + g if self.skip[layer] else through
            g = self.grad_words[layer](g) if "grad" in self.on else g
        return energy, g

    def _tanh(self, z: Tensor) -> tuple[Tensor, Tensor]:
        f = self.formats
        if "z" in self.on:
            z = self.z_word(z)
        if "tanh" in self.on:
            z = z.clamp(-self.z_top, self.z_top)
            return TanhTable.apply(z, self.tanh_coef, (f.z_frac, f.tanh_seg_bits, f.tanh_shift, f.act_frac[1]))
        act = torch.tanh(z)
        slope = 1.0 - act * act
        # Beyond the end of the table act does not change, whatever z does.
        return act, torch.where(z.abs() < self.z_top, slope, 0.0) if "z" in self.on else slope


def _by_type(x: Tensor, matrices: Tensor, counts: Sequence[int], biases: Tensor | None = None) -> Tensor:
    """Rows of ``x`` times the matrix [in, out] of their type (plus its bias)."""
    parts = []
    for kind, rows in enumerate(x.split(list(counts))):
        parts.append(rows @ matrices[kind] if biases is None else torch.addmm(biases[kind], rows, matrices[kind]))
    return torch.cat(parts)
