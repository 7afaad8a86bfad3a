"""What quantization-aware training evaluates and what the reference computes are the same integers."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from quantize_cases import FRAMES, SMALL, Frame, labeled, overdriven, small_potential

from nvnmd.quantize.choose import sample_tables
from nvnmd.quantize.errors import QuantizeError
from nvnmd.quantize.from_float import float_spec
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.packing import FrameResult, evaluate_frame, pack_frame
from nvnmd.quantize.ptq import quantize_model
from nvnmd.quantize.qat.model import IntegerPot
from nvnmd.quantize.qat.prepare import prepare_words
from nvnmd.quantize.qat.quantizers import WordQuantizer, round_to
from nvnmd.quantize.qat.stages import ALL, STAGES
from nvnmd.quantize.qat.words import WordBatch, collate_words
from nvnmd.quantize.stage_errors import options_of, stage_errors
from nvnmd.quantize.testing import random_model
from nvnmd.training.model import DeepPot, Prediction

Quantized = tuple[DeepPot, IntegerModel]


def words(model: IntegerModel, frame: Frame) -> WordBatch:
    return prepare_words(model, pack_frame(model, frame.positions, frame.cell, frame.types))


def reference(model: IntegerModel, frame: Frame) -> FrameResult:
    return evaluate_frame(model, pack_frame(model, frame.positions, frame.cell, frame.types))


def assert_same(model: IntegerModel, frame: Frame, found: Prediction, expected: FrameResult) -> None:
    f = model.formats
    assert found.virials is not None
    energy = expected.atom_energy - model.energy_bias[frame.types]
    assert (found.atomic.detach().numpy() * 2.0**f.e_frac == energy).all()
    assert (found.forces.detach().numpy().T * 2.0**f.f_frac == expected.force).all()
    assert (found.virials[0].detach().numpy() * 2.0**f.w_frac == expected.atom_virial.sum(axis=0)).all()


def some_steps(pot: IntegerPot, batch: WordBatch, steps: int = 3, rate: float = 2e-3) -> None:
    optimizer = torch.optim.Adam(pot.parameters(), lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        out = pot(batch)
        assert out.virials is not None
        (out.forces.square().mean() + out.energies.square().mean() + out.virials.square().mean()).backward()
        optimizer.step()


@pytest.mark.parametrize("name", FRAMES)
def test_before_training(quantized: Quantized, name: str) -> None:
    potential, integer = quantized
    pot, frame = IntegerPot.from_float(potential, integer), FRAMES[name]
    exported = pot.export()
    for tensor, array in integer.tensors.items():
        assert np.array_equal(exported.tensors[tensor], array), tensor
    batch, expected = words(integer, frame), reference(integer, frame)
    assert_same(integer, frame, pot(batch), expected)
    assert pot.clipped(batch) == expected.clipped


@pytest.mark.parametrize("name", ["random", "liquid", "crystal"])
def test_after_some_steps(quantized: Quantized, name: str) -> None:
    potential, integer = quantized
    pot, frame = IntegerPot.from_float(potential, integer), FRAMES[name]
    batch = words(integer, frame)
    some_steps(pot, batch)
    exported = pot.export()
    moved = [tensor for tensor, array in integer.tensors.items() if not np.array_equal(exported.tensors[tensor], array)]
    assert {"feature.coef", "fit.weight.1", "fit.bias.1", "fit.out.weight"} <= set(moved)
    assert ("gate" in moved) == (integer.gate is not None)
    assert_same(exported, frame, pot(batch), reference(exported, frame))


NARROW = {
    "X": {"x_bits": 8},
    "A": {"a_bits": 8},
    "B": {"b_bits": 8},
    "V": {"v_bits": 8},
    "P": {"p_bits": 12},
    "F": {"f_bits": 14},
}


@pytest.mark.parametrize("stages", ["X", "A", "B", "V", "P", "F", "XABVPF"])
def test_at_saturation(stages: str) -> None:
    full, frame = random_model(5, **SMALL), FRAMES["liquid"]
    changes = {key: bits for stage in stages for key, bits in NARROW[stage].items()}
    model = replace(full, formats=replace(full.formats, **changes)).validate()
    expected, pot = reference(model, frame), IntegerPot.from_integer(model)
    batch = words(model, frame)
    assert any(expected.clipped[stage] > 0 for stage in stages)
    assert_same(model, frame, pot(batch), expected)
    assert pot.clipped(batch) == expected.clipped


@pytest.mark.parametrize("stage", ["X", "D"])
def test_at_saturation_of_sixteen_bits(stage: str) -> None:
    model = random_model(4, m1=8, m2=2, neuron=(16, 16, 16))
    extreme, frame = overdriven(model, finer_x=0 if stage == "X" else -2), FRAMES["liquid"]
    expected, pot = reference(extreme, frame), IntegerPot.from_integer(extreme)
    assert all(expected.clipped[stage] > 0 for stage in (stage, "H", "GRAD", "Y")), expected.clipped
    assert_same(extreme, frame, pot(words(extreme, frame)), expected)
    assert pot.clipped(words(extreme, frame)) == expected.clipped


@pytest.mark.parametrize("gates", [False, True])
def test_a_module_made_of_an_integer_model_alone(gates: bool) -> None:
    model = random_model(8, gated=gates, **SMALL)
    pot = IntegerPot.from_integer(model)
    assert_same(model, FRAMES["liquid"], pot(words(model, FRAMES["liquid"])), reference(model, FRAMES["liquid"]))


def test_a_batch_gives_what_its_frames_give(quantized: Quantized) -> None:
    potential, integer = quantized
    pot = IntegerPot.from_float(potential, integer)
    frames = [words(integer, FRAMES[name]) for name in ("liquid", "lone atom", "small cell")]
    together, apart = pot(collate_words(frames)), [pot(frame) for frame in frames]
    assert torch.equal(together.energies, torch.cat([out.energies for out in apart]))
    assert torch.equal(together.forces, torch.cat([out.forces for out in apart], dim=1))
    assert torch.equal(together.virials, torch.cat([out.virials for out in apart]))


def test_without_rounding_it_is_the_float_model_with_tables(quantized: Quantized) -> None:
    potential, integer = quantized
    system = labeled([FRAMES["liquid"]], potential)
    packed = pack_frame(integer, system.positions[0], system.cells[0], system.types, exact=True)
    nodes = sample_tables(float_spec(potential), options_of(integer))
    pot = IntegerPot.from_float(potential, integer, frozenset())
    with torch.no_grad():
        out = pot(prepare_words(integer, packed, "frame", frozenset(), nodes))
    energy = float(out.energies) + potential.energy_shifts[system.types].sum()
    assert abs(energy - system.energies[0]) < 1e-5 * len(system.types)
    assert np.abs(out.forces.numpy().T - system.forces[0]).max() < 2e-4
    assert system.virials is not None
    assert out.virials is not None
    assert np.abs(out.virials[0].numpy() - system.virials[0]).max() < 5e-3


def test_without_rounding_only_the_parabolas_differ() -> None:
    """Saturated units included: a tanh that is not rounded does not end where its table ends."""
    potential = small_potential()
    with torch.no_grad():
        potential.fitting.biases[1][:, ::2] = 5.0
    system = labeled([FRAMES["crystal"]], potential)
    records = stage_errors(potential, quantize_model(potential, [system]), [system])
    only = {record["stage"]: record["force_rmse_meV_A"] for record in records if record["mode"] == "only"}
    assert only["tables"] < 0.3 * only["z"]
    assert only["tables"] < 0.3 * only["all"]


def test_every_stage_has_its_records() -> None:
    potential = small_potential("se_atten")
    system = labeled([FRAMES["random"]], potential)
    records = stage_errors(potential, quantize_model(potential, [system]), [system])
    by_name = {(record["stage"], record["mode"]): record for record in records}
    assert {stage for stage, _ in by_name} == {"all", "tables", *STAGES}
    assert by_name["tables", "only"]["force_rmse_meV_A"] < by_name["all", "only"]["force_rmse_meV_A"]
    # Each stage adds to the error of the tables, and all of them make up most of the whole.
    alone = [by_name[stage, "only"]["force_rmse_meV_A"] for stage in STAGES]
    assert 0.5 < np.linalg.norm(alone) / by_name["all", "only"]["force_rmse_meV_A"] < 2.0


def test_forces_without_rounding_are_derivatives_of_the_energy(quantized: Quantized) -> None:
    potential, integer = quantized
    pot, frame = IntegerPot.from_float(potential, integer, frozenset()), FRAMES["crystal"]
    h = 1e-4

    def energy(positions: np.ndarray) -> tuple[float, np.ndarray]:
        packed = pack_frame(integer, positions, frame.cell, frame.types, exact=True)
        out = pot(prepare_words(integer, packed, on=frozenset()))
        return out.energies.item(), out.forces.detach().numpy().T

    _, forces = energy(frame.positions)
    for atom, axis in ((0, 0), (13, 1), (20, 2)):
        ends = []
        for sign in (1, -1):
            moved = frame.positions.copy()
            moved[atom, axis] += sign * h
            ends.append(energy(moved)[0])
        # Radial and angular tables stay rounded here: their words set the accuracy.
        assert abs(-(ends[0] - ends[1]) / (2 * h) - forces[atom, axis]) < 1e-4


def test_gradients_are_those_of_the_real_formula(quantized: Quantized) -> None:
    """Straight-through: the slope of the loss without rounding, as far as rounding lets one see it."""
    potential, integer = quantized
    frame = FRAMES["liquid"]
    slopes = []
    for on in (ALL, frozenset[str]()):
        pot = IntegerPot.from_float(potential, integer, on)
        batch = prepare_words(integer, pack_frame(integer, frame.positions, frame.cell, frame.types), on=on)
        out = pot(batch)
        (out.forces.square().sum() + out.energies.square().sum()).backward()
        slopes.append(torch.cat([p.grad.flatten() for p in pot.parameters() if p.grad is not None]))
    rounded, real = slopes
    assert len(rounded) == sum(p.numel() for p in pot.parameters())
    cosine = torch.nn.functional.cosine_similarity(rounded, real, dim=0)
    assert cosine > 0.98


def test_leaving_the_formats_is_refused(quantized: Quantized) -> None:
    potential, integer = quantized
    pot = IntegerPot.from_float(potential, integer)
    with torch.no_grad():
        pot.fitting.biases[0].fill_(1e6)
    with pytest.raises(QuantizeError, match="layer 1: the forward sum"):
        pot.export()


def test_training_keeps_the_sums_of_weights_within_32_bits(quantized: Quantized) -> None:
    potential, integer = quantized
    pot = IntegerPot.from_float(potential, integer)
    before = [weight.detach().clone() for weight in pot.fitting.weights]
    pot.fitting.keep_in_range()
    assert all(torch.equal(a, b) for a, b in zip(before, pot.fitting.weights, strict=True))
    with torch.no_grad():
        for weight in pot.fitting.weights:
            weight.mul_(50.0)
    pot(words(integer, FRAMES["crystal"]))
    pot.export()


def test_word_quantizer_rounds_half_up_and_clips_symmetrically() -> None:
    quant = WordQuantizer(frac=2, bits=4)
    x = torch.tensor([-9.0, -1.75, -0.125, -0.0, 0.124, 0.125, 0.375, 1.75, 9.0], dtype=torch.float64)
    x.requires_grad_(True)
    quant.count = True
    y = quant(x)
    assert y.tolist() == [-1.75, -1.75, 0.0, 0.0, 0.0, 0.25, 0.5, 1.75, 1.75]
    assert quant.clipped == 2
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 1, 1, 1, 1, 1, 1, 1, 0]


def test_word_quantizer_is_exact_for_the_widest_words() -> None:
    quant = WordQuantizer(frac=20, bits=32)
    top = 2.0**31 - 1
    x = torch.tensor([top, top + 1, -top - 5, top - 0.5], dtype=torch.float64) * 2.0**-20
    assert (quant(x) * 2.0**20).tolist() == [top, top, -top, top]


def test_round_to_passes_gradients() -> None:
    x = torch.tensor([0.3, -0.3], dtype=torch.float64, requires_grad=True)
    round_to(x, 1).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1, 1]


def test_potentials_of_one_seed_are_the_same() -> None:
    a, b = (small_potential(seed=4).arrays() for _ in range(2))
    assert all(np.array_equal(a[name], b[name]) for name in a)
