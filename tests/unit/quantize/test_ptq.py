"""From a float potential to a calibrated integer model, and fine-tuning of it."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from quantize_cases import FRAMES, Frame, crystal, labeled, small_potential

from nvnmd.quantize.choose import CompileOptions
from nvnmd.quantize.errors import QuantizeError
from nvnmd.quantize.from_float import float_spec
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.packing import evaluate_frame, pack_frame
from nvnmd.quantize.predict import predict as predict_integer
from nvnmd.quantize.provenance import measured_errors
from nvnmd.quantize.ptq import options_for, quantize_model, spread_frames
from nvnmd.quantize.qat.store import WordStore
from nvnmd.training.metrics import predict
from nvnmd.training.model import DeepPot
from nvnmd.training.setup import TrainingData
from nvnmd.training.system import System

Quantized = tuple[DeepPot, IntegerModel]


@pytest.mark.parametrize("name", ["liquid", "crystal", "small cell"])
def test_the_integer_model_is_close_to_the_float_model(quantized: Quantized, name: str) -> None:
    potential, integer = quantized
    system = labeled([FRAMES[name]], potential)
    found = predict_integer(integer, system)
    assert np.sqrt(np.mean((found.forces - system.forces) ** 2)) < 4e-3
    assert abs(found.energies[0] - system.energies[0]) < 2e-3 * system.n_atoms
    assert system.virials is not None
    assert np.abs(found.virials - system.virials).max() < 0.02 * system.n_atoms


def test_predictions_are_the_words_of_the_reference(quantized: Quantized) -> None:
    potential, integer = quantized
    frame, f = FRAMES["liquid"], integer.formats
    found = predict_integer(integer, labeled([frame], potential))
    result = evaluate_frame(integer, pack_frame(integer, frame.positions, frame.cell, frame.types))
    assert np.array_equal(found.forces[0], result.force * 2.0**-f.f_frac)
    assert found.energies[0] == result.atom_energy.sum() * 2.0**-f.e_frac


def test_energies_are_corrected_to_the_float_model() -> None:
    potential = small_potential()
    frames = [crystal(shake_A=0.15, seed=seed) for seed in range(12)]
    system = labeled(frames, potential)
    integer = quantize_model(potential, [system], CompileOptions(weight_bits=7))
    offset = (predict_integer(integer, system).energies - system.energies) / system.n_atoms
    assert abs(offset.mean()) < 1e-5 + 0.3 * offset.std()


def test_the_guard_is_half_of_the_pair_energy_per_center() -> None:
    potential = small_potential()
    spec = float_spec(potential)
    r = np.linspace(1.5, 2.3, 20)
    whole, _ = potential.guard.energy(r, np.zeros(20, int), np.ones(20, int))
    assert whole[0] > 1.0
    assert np.allclose(spec.guard(0, 1, r) + spec.guard(1, 0, r), whole)
    assert not spec.guard(1, 1, np.array([spec.guard_end_A])).any()


def test_two_close_atoms_feel_the_guard_in_both_models(quantized: Quantized) -> None:
    potential, integer = quantized
    pair = Frame(np.array([[5.0, 5, 5], [6.7, 5, 5]]), np.eye(3) * 20, np.array([0, 1]))
    system = labeled([pair], potential)
    found = predict_integer(integer, system)
    assert abs(system.forces[0, 0, 0]) > 5
    assert np.allclose(found.forces, system.forces, rtol=5e-3)
    assert np.allclose(found.energies, system.energies, atol=5e-3)


def test_gates_use_their_words() -> None:
    potential = small_potential("se_atten")
    spec = float_spec(potential)
    assert spec.gate is not None
    assert np.allclose(np.abs(spec.gate).max(axis=(0, 1)), 1.9)
    r = np.linspace(2.0, 4.9, 9)
    with torch.no_grad():
        assert potential.gate is not None
        potential.gate.mul_(2)
    again = float_spec(potential)
    assert again.gate is not None
    gates = 1 + potential.gate.detach().double().numpy().reshape(2, 2, -1)
    raw = spec.features[0](r) / np.abs(1 + (gates - 1) / 2).max(axis=(0, 1)) * 1.9
    assert np.allclose(again.features[0](r)[:, None] * again.gate[0], raw[:, None] * gates[0], rtol=1e-6)


def test_types_with_scales_of_their_own_get_tables_of_their_own(quantized: Quantized) -> None:
    potential, integer = quantized
    if potential.gate is None:
        assert integer.scalar_table.tolist() == [[0, 0], [1, 1]]
        assert integer.feature_table.tolist() == [[0, 1], [2, 3]]
    else:
        assert not integer.scalar_table.any()
        assert not integer.feature_table.any()


def test_options_follow_the_frames() -> None:
    potential = small_potential()
    chosen = options_for(potential, [labeled([FRAMES["crystal"]], potential)])
    assert (chosen.table_start_A, chosen.max_neighbors) == (1.5, 64)
    close = Frame(np.array([[1.0, 1, 1], [2.0, 1, 1]]), np.eye(3) * 12, np.array([0, 1]))
    assert options_for(potential, [labeled([close], potential)]).table_start_A == pytest.approx(0.8)
    dense = Frame(FRAMES["one atom"].positions, np.eye(3) * 1.9, np.array([0]))
    assert options_for(potential, [labeled([dense], potential)]).max_neighbors > 64
    assert options_for(potential, [labeled([close], potential)], max_neighbors=9).max_neighbors == 9


def test_bad_input_is_one_sentence() -> None:
    potential = small_potential()
    system = labeled([FRAMES["crystal"]], potential)
    with pytest.raises(QuantizeError, match="no frames"):
        quantize_model(potential, [])
    far = copy.deepcopy(potential)
    for rcut in (8.0, 8.5):
        far.shape = replace(far.shape, rcut=rcut)
        with pytest.raises(
            QuantizeError, match=rf"rcut = {rcut} A does not fit a displacement word, which ends below 8 A"
        ):
            quantize_model(far, [system])
    with torch.no_grad():
        potential.fitting.weights[0][0, 0, 0] = np.nan
    with pytest.raises(QuantizeError, match=r"fitting.weights.0"):
        quantize_model(potential, [system])


def test_weights_too_large_say_what_to_do() -> None:
    potential = small_potential()
    system = labeled([FRAMES["crystal"]], potential)
    with torch.no_grad():
        potential.fitting.weights[1].mul_(1e6)
    with pytest.raises(QuantizeError, match="weight decay"):
        quantize_model(potential, [system])


@pytest.mark.parametrize("bits", [2, 3])
def test_too_few_bits_for_the_weights_are_refused(bits: int) -> None:
    potential = small_potential()
    with torch.no_grad():
        potential.fitting.weights[1][0, 0, 0] = 2.5
    with pytest.raises(QuantizeError, match=f"do not fit {bits} bits; use more"):
        quantize_model(potential, [labeled([FRAMES["crystal"]], potential)], CompileOptions(weight_bits=bits))


@pytest.mark.parametrize("bits", [16, 10, 8, 6, 4])
def test_any_width_of_weights(bits: int) -> None:
    potential = small_potential()
    system = labeled([FRAMES["liquid"]], potential)
    integer = quantize_model(potential, [system], CompileOptions(weight_bits=bits))
    assert max(int(np.abs(weight).max()) for weight in integer.weights) < 2 ** (bits - 1)
    assert np.isfinite(predict_integer(integer, system).forces).all()


@pytest.mark.parametrize("u_frac", [16, 17, 18])
def test_any_size_of_tables(u_frac: int) -> None:
    potential = small_potential()
    system = labeled([FRAMES["liquid"]], potential)
    integer = quantize_model(potential, [system], CompileOptions(u_frac=u_frac))
    assert integer.n_seg == 25 * 2 ** (u_frac - 15)
    assert np.sqrt(np.mean((predict_integer(integer, system).forces - system.forces) ** 2)) < 2e-2


def test_frames_are_spread_over_the_systems() -> None:
    potential = small_potential()
    systems = [labeled([crystal(cells=2, seed=k) for k in range(count)], potential) for count in (7, 1, 4)]
    chosen = spread_frames(systems, 5)
    assert all(system.n_frames == 1 for system in chosen)
    assert chosen[0].positions[0].tolist() == systems[0].positions[0].tolist()
    assert chosen[-1].positions[0].tolist() == systems[2].positions[3].tolist()
    assert len(spread_frames(systems, 100)) == 12


def test_frames_that_the_model_cannot_hold_are_named(quantized: Quantized) -> None:
    potential, integer = quantized
    close = Frame(np.array([[1.0, 1, 1], [2.1, 1, 1]]), np.eye(3) * 12, np.array([0, 1]))
    store = WordStore(integer, [labeled([close], potential, "pair")], [potential.energy_shifts])
    with pytest.raises(QuantizeError, match="pair, frame 0: atoms closer than"):
        store.batch([0])
    few = replace(integer, max_neighbors=2)
    store = WordStore(few, [labeled([FRAMES["crystal"]], potential, "block")], [potential.energy_shifts])
    with pytest.raises(QuantizeError, match=r"block, frame 0: atom \d+ has"):
        store.batch([0])


def test_errors_are_told_by_system_and_part(quantized: Quantized) -> None:
    potential, integer = quantized
    systems: list[System] = [labeled([FRAMES[name]], potential, name) for name in ("liquid", "crystal")]
    systems[1] = replace(systems[1], dataset="other", energies=systems[1].energies + 7.0 * systems[1].n_atoms)
    own = potential.energy_shifts
    found = measured_errors(potential, integer, TrainingData(systems, [], [own, own + 7.0], [], own))
    assert [row["name"] for row in found["integer"]["systems"]] == ["liquid", "crystal"]
    assert found["float"]["all"]["energy_rmse"] < 1e-9
    assert found["float"]["all"]["force_rmse"] < 1e-9 < found["integer"]["all"]["force_rmse"] < 4e-3
    json.dumps(found)


def test_labels_of_a_store_are_in_the_order_of_the_frame(quantized: Quantized) -> None:
    potential, integer = quantized
    system = labeled([FRAMES["liquid"]], potential)
    batch = WordStore(integer, [system], [potential.energy_shifts]).batch([0])
    assert batch.labels is not None
    assert np.array_equal(batch.labels.forces.numpy().T, system.forces[0])
    expected = predict(potential, system).energies[0] - potential.energy_shifts[system.types].sum()
    assert float(batch.labels.energies) == pytest.approx(expected)


def test_provenance_stays_with_the_model(tmp_path: Path) -> None:
    potential = small_potential()
    integer = quantize_model(potential, [labeled([FRAMES["crystal"]], potential)], provenance={"a": [1, 2]})
    assert integer.provenance == {"a": [1, 2]}
