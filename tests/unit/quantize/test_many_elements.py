"""Eight elements in one integer model: one set of number formats for all of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from quantize_cases import scattered

from nvnmd.quantize.choose import CompileOptions, guard_pairs
from nvnmd.quantize.model_file import load_model, save_model
from nvnmd.quantize.packing import evaluate_frame, pack_frame
from nvnmd.quantize.ptq import quantize_model
from nvnmd.quantize.qat.model import IntegerPot
from nvnmd.quantize.qat.prepare import prepare_words
from nvnmd.training.guard import Guard
from nvnmd.training.metrics import predict
from nvnmd.training.model import DeepPot, ModelShape
from nvnmd.training.system import System

EIGHT = ("Ge", "Sb", "Te", "Ti", "N", "Si", "O", "W")
FORMS = ["se_atten", "se_e2_a"]


def potential(form: str) -> DeepPot:
    sizes = {"neuron": (4, 8), "axis_neuron": 2, "fitting_neuron": (16, 16)}
    shape = ModelShape(EIGHT, form=form, rcut=5.0, rcut_smth=2.0, sel=(30,), **sizes)  # type: ignore[arg-type]
    model = DeepPot(shape, Guard.for_elements(EIGHT), seed=4)
    model.radial_scale[:], model.angular_scale[:] = 0.08, 0.05
    if form == "se_e2_a":
        model.radial_scale[:] = np.linspace(0.07, 0.1, 8)
    model.energy_shifts[:] = -np.arange(4.0, 12.0)
    return model


def frames(model: DeepPot, closest_A: float = 1.6) -> list[System]:
    """Atoms of all elements, as near to each other as silicon and oxygen are; two elements; one."""
    found = []
    for seed, kinds in enumerate([range(8), (5, 6), (7,)]):
        frame = scattered(24, 8.0, closest_A, seed=seed)
        types = np.array(list(kinds))[np.arange(24) % len(kinds)]
        system = System(
            f"frame-{seed}", EIGHT, types, frame.cell[None], frame.positions[None],
            np.zeros(1), np.zeros((1, 24, 3)), None,
        )  # fmt: skip
        labels = predict(model.double(), system)
        found.append(replace(system, energies=labels.energies, forces=labels.forces))
    return found


@pytest.mark.parametrize("form", FORMS)
def test_fine_tuning_computes_what_the_reference_computes(form: str) -> None:
    model = potential(form)
    systems = frames(model)
    integer = quantize_model(model, systems, CompileOptions(table_start_A=1.2, max_neighbors=96))
    pot = IntegerPot.from_float(model, integer)
    for system in systems:
        packed = pack_frame(integer, system.positions[0], system.cells[0], system.types)
        expected = evaluate_frame(integer, packed)
        with torch.no_grad():
            found = pot(prepare_words(integer, packed), virial=False)
        energy = expected.atom_energy - integer.energy_bias[system.types]
        assert (found.atomic.numpy() * 2.0**integer.formats.e_frac == energy).all()
        assert (found.forces.numpy().T * 2.0**integer.formats.f_frac == expected.force).all()
        assert not sum(expected.clipped.values())
        error = expected.force * 2.0**-integer.formats.f_frac - system.forces[0]
        assert np.sqrt((error**2).mean()) < 0.01 * np.sqrt((system.forces**2).mean())


def test_a_gate_in_place_of_tables(tmp_path) -> None:
    """What grows with the square of the elements is the gate and the guard in one form, every table in the other."""
    sizes = {}
    for form in FORMS:
        model = potential(form)
        integer = quantize_model(model, frames(model), CompileOptions(table_start_A=1.2, max_neighbors=96))
        save_model(integer, tmp_path / "model.nvnmd")
        assert np.array_equal(load_model(tmp_path / "model.nvnmd").feature_coef, integer.feature_coef)
        sizes[form] = len(integer.feature_coef), len(integer.scalar_coef), len(integer.guard_coef)
        assert (integer.gate is None) == (form == "se_e2_a")
    assert sizes == {"se_atten": (1, 1, 36), "se_e2_a": (64, 8, 36)}


def test_each_pair_has_its_own_guard() -> None:
    model = potential("se_atten")
    integer = quantize_model(model, frames(model), CompileOptions(table_start_A=1.2, max_neighbors=96))
    assert len(guard_pairs(8)) == 36
    assert np.array_equal(integer.guard_table, integer.guard_table.T)
    assert len(set(integer.guard_table[np.triu_indices(8)])) == 36
    ends = [np.flatnonzero(rows.any(axis=1)).max(initial=0) for rows in integer.guard_coef]

    assert (ends[integer.guard_table[5, 6]], ends[integer.guard_table[7, 7]]) == (16, 53)
