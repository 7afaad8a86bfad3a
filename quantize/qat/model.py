"""The integer model as a trainable torch module."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.qat.embedding import FeatureTables, FixedTables
from nvnmd.quantize.qat.export import export_model
from nvnmd.quantize.qat.network import FittingWords
from nvnmd.quantize.qat.quantizers import WordQuantizer, round_to
from nvnmd.quantize.qat.stages import ALL, Stages
from nvnmd.quantize.qat.tables import NarrowTable
from nvnmd.quantize.qat.words import WordBatch
from nvnmd.training.model import DeepPot, Prediction


class IntegerPot(nn.Module):
    """Evaluates exactly the integers of the reference, with straight-through gradients.

    Trainable are the embedding nets (through the nodes of their tables), the gates and the fitting network. Formats,
    the radial, angular and guard tables and the energy shifts are those of ``integer``.

    Args:
        integer: gives formats, fixed tables and sizes.
        features: the feature tables.
        fitting: the fitting networks.
        on: stages that round; all but for measurements.
    """

    def __init__(
        self, integer: IntegerModel, features: FeatureTables | FixedTables, fitting: FittingWords, on: Stages = ALL
    ) -> None:
        super().__init__()
        f = integer.formats
        self.integer, self.formats, self.m2 = integer, f, integer.m2
        self.n_types = integer.n_types
        self.features, self.fitting = features, fitting
        self.set_stages(on)
        self.stage_words = nn.ModuleDict(
            {
                "X": WordQuantizer(f.x_frac, f.x_bits),
                "D": WordQuantizer(f.d_frac, 16),
                "Y": WordQuantizer(f.y_frac, 16),
                "A": WordQuantizer(f.a_frac, f.a_bits),
                "B": WordQuantizer(f.b_frac, f.b_bits),
                "V": WordQuantizer(f.v_frac, f.v_bits),
                "P": WordQuantizer(f.p_frac, f.p_bits),
                "F": WordQuantizer(f.f_frac, f.f_bits),
            }
        )

    @classmethod
    def from_float(cls, model: DeepPot, integer: IntegerModel, on: Stages = ALL) -> IntegerPot:
        """A trainable module that starts as the integer model which ``model`` was compiled to."""
        f = integer.formats
        weights = [w.detach().transpose(1, 2) for w in model.fitting.weights]
        fitting = FittingWords(weights, [b.detach() for b in model.fitting.biases], integer.skip, f, ALL)
        _, words = fitting.words()
        out_bias = torch.from_numpy(integer.out_bias * 2.0 ** -(f.weight_frac[-1] + f.act_frac[-1]))
        fitting.correction = out_bias.unsqueeze(1) - words[-1].detach()
        return cls(integer, FeatureTables(model, integer, on), fitting, on)

    @classmethod
    def from_integer(cls, integer: IntegerModel) -> IntegerPot:
        """A module that evaluates any integer model; its feature tables cannot be trained."""
        f = integer.formats
        weights = [*integer.weights, integer.out_weight[:, None, :]]
        biases = [*integer.biases, integer.out_bias[:, None]]
        scaled = [torch.from_numpy(w * 2.0**-frac) for w, frac in zip(weights, f.weight_frac, strict=True)]
        fractions = zip(f.weight_frac, f.act_frac, strict=True)
        moved = [torch.from_numpy(b * 2.0 ** -(w + a)) for b, (w, a) in zip(biases, fractions, strict=True)]
        return cls(integer, FixedTables(integer), FittingWords(scaled, moved, integer.skip, f, ALL))

    def set_stages(self, on: Stages) -> None:
        """Choose the stages that round; all others compute in real numbers."""
        self.on = self.features.on = self.fitting.on = on

    def _word(self, stage: str, x: Tensor) -> Tensor:
        return self.stage_words[stage](x) if stage in self.on else x

    def forward(self, batch: WordBatch, virial: bool = True) -> Prediction:
        """Energies (without the energy shifts), forces and virials of a batch, exact words in float64."""
        g, gp = self._channels(batch)
        norm = 2.0**-self.formats.norm_shift
        x = self._word("X", torch.bmm(batch.env.transpose(1, 2), g) * norm)
        d = self._word("D", torch.bmm(x.transpose(1, 2), x[:, :, : self.m2]))
        energy, gd = self._fit(d.flatten(1), batch)
        y = self._word("Y", _descriptor_gradient(x, gd.view(d.shape)))
        pair = self._pair_forces((g, gp), y * norm, batch)
        atomic = energy + batch.guard
        return Prediction(
            energies=atomic.new_zeros(batch.n_frames).index_add(0, batch.frame_of_atom, atomic),
            forces=_atomic_forces(pair, batch),
            virials=self._virials(pair, batch) if virial else None,
            atomic=atomic,
        )

    def _channels(self, batch: WordBatch) -> tuple[Tensor, Tensor]:
        """Words of G and its slope per segment, [n_atoms, width, M1]; zero for padding."""
        coef = self.features.coefficients().flatten(0, 1)
        coef = torch.cat([coef.new_zeros(1, *coef.shape[1:]), coef])
        fractions = self.features.fractions if "feature_table" in self.on else None
        g, gp = NarrowTable.apply(coef, batch.rows.flatten(), batch.t.flatten(), batch.t_coarse.flatten(), fractions)
        gate = self.features.gates()
        if gate is not None:
            g, gp = self.features.apply_gate(g, gp, gate.index_select(0, batch.gates.flatten()))
        shape = *batch.rows.shape, self.integer.m1
        return g.view(shape), gp.view(shape)

    def _fit(self, d: Tensor, batch: WordBatch) -> tuple[Tensor, Tensor]:
        by_type = torch.argsort(batch.types, stable=True)
        counts = torch.bincount(batch.types, minlength=self.n_types).tolist()
        energy, gd = self.fitting(d.index_select(0, by_type), counts)
        back = torch.argsort(by_type)
        return energy.index_select(0, back), gd.index_select(0, back)

    def _pair_forces(self, channels: tuple[Tensor, Tensor], y: Tensor, batch: WordBatch) -> Tensor:
        """∂E_i/∂r_ij, [n_atoms, width, 3] eV/Å."""
        g, gp = channels
        a = self._word("A", torch.bmm(g, y.transpose(1, 2)))
        b = self._word("B", torch.bmm(gp, y.transpose(1, 2)))
        v = self._word("V", (a[:, :, 1:] * batch.x).sum(2))
        t = batch.sp * a[:, :, 0] + batch.hp * v + (batch.env * b).sum(2)
        t = t * 2.0**self.formats.seg_frac
        p = self._word("P", (round_to(t, self.formats.p_frac) if "P" in self.on else t) + batch.guard_slope)
        return self._word("F", 2.0 * batch.x * p.unsqueeze(2) + a[:, :, 1:] * batch.h.unsqueeze(2))

    def _virials(self, pair: Tensor, batch: WordBatch) -> Tensor:
        product = batch.x.unsqueeze(3) * pair.unsqueeze(2)
        per_atom = round_to(product, self.formats.w_frac).sum(1)
        return -per_atom.new_zeros(batch.n_frames, 3, 3).index_add(0, batch.frame_of_atom, per_atom)

    @torch.no_grad()
    def clipped(self, batch: WordBatch) -> dict[str, int]:
        """Words clipped per stage in a batch, in the names of ``fixed.STAGES``."""
        counted: dict[str, list[Any]] = {stage: [quant] for stage, quant in self.stage_words.items()}
        counted |= {"H": list(self.fitting.h_words), "GRAD": list(self.fitting.grad_words)}
        everyone = [quant for quants in counted.values() for quant in quants]
        for quant in everyone:
            quant.count, quant.clipped = True, 0
        self(batch, virial=False)
        for quant in everyone:
            quant.count = False
        return {"R": batch.clipped} | {
            stage: sum(int(quant.clipped) for quant in quants) for stage, quants in counted.items()
        }

    def export(self, provenance: dict[str, Any] | None = None) -> IntegerModel:
        """The integer model of the words that the forward pass uses.

        Raises:
            QuantizeError: training left the range of the formats.
        """
        return export_model(self, self.integer.provenance if provenance is None else provenance)


def _descriptor_gradient(x: Tensor, gd: Tensor) -> Tensor:
    m2 = gd.shape[2]
    left = torch.bmm(x[:, :, :m2], gd.transpose(1, 2))
    return left + nn.functional.pad(torch.bmm(x, gd), (0, x.shape[2] - m2))


def _atomic_forces(pair: Tensor, batch: WordBatch) -> Tensor:
    reaction = pair.new_zeros(len(pair), 3).index_add(0, batch.neighbors.flatten(), pair.flatten(0, 1))
    return (pair.sum(1) - reaction).T
