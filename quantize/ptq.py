"""Quantization after training: a float model and frames in, a calibrated integer model out."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from nvnmd.quantize.choose import CompileOptions
from nvnmd.quantize.compiler import compile_model
from nvnmd.quantize.errors import QuantizeError
from nvnmd.quantize.from_float import float_spec
from nvnmd.quantize.integer_model import IntegerModel
from nvnmd.quantize.packing import pack_frame
from nvnmd.quantize.qat.model import IntegerPot
from nvnmd.quantize.qat.prepare import prepare_words
from nvnmd.quantize.reference import AtomInput
from nvnmd.training.data import model_types
from nvnmd.training.metrics import predict
from nvnmd.training.model import DeepPot
from nvnmd.training.neighbors import find_pairs
from nvnmd.training.system import System

_CALIBRATION_ATOMS = 6000
_CORRECTION_FRAMES = 30
_SURVEY_FRAMES = 200
_DX_FRAC = 14


def quantize_model(
    model: DeepPot,
    systems: Sequence[System],
    options: CompileOptions | None = None,
    provenance: dict[str, Any] | None = None,
) -> IntegerModel:
    """Quantize a float model without training it further.

    Ranges are calibrated on frames spread over ``systems``; then the output biases are moved so that the mean energies
    of integer and float model agree on these frames (rounding weights shifts all energies alike).

    Raises:
        QuantizeError: there is no frame, or the model does not fit the specification.
    """
    options = options or options_for(model, systems)
    spec = float_spec(model)
    integer = compile_model(spec, calibration_atoms(model, systems), options, provenance)
    return correct_energies(model, integer, systems)


def options_for(model: DeepPot, systems: Sequence[System], **chosen: Any) -> CompileOptions:
    """Compiler options that suit a model and its frames; ``chosen`` ones are taken as they are.

    Tables start at 1.5 Å, or at 0.8 of the shortest distance where that is shorter; an atom may have 64 neighbors, or
    half as many again as any atom seen.

    Raises:
        QuantizeError: there is no frame, or the cutoff is not below what displacement words hold.
    """
    if not any(system.n_frames for system in systems):
        raise QuantizeError("no frames to calibrate the number formats on; pass the training frames")
    rcut, limit = model.shape.rcut, float(1 << (17 - _DX_FRAC))
    if rcut >= limit:
        raise QuantizeError(
            f"rcut = {rcut} A does not fit a displacement word, which ends below {limit:g} A; train with a smaller "
            "model.descriptor.rcut"
        )
    shortest, most = rcut, 0
    for system in spread_frames(systems, _SURVEY_FRAMES):
        pairs = find_pairs(system.positions[0], system.cells[0], rcut, system.periodic)
        shortest = min(shortest, float(pairs.distances.min(initial=rcut)))
        most = max(most, int(np.bincount(pairs.centers, minlength=1).max()))
    found = {"table_start_A": min(1.5, 0.8 * shortest), "max_neighbors": min(1024, max(64, -(-3 * most // 32) * 16))}
    return CompileOptions(**(found | chosen))


def spread_frames(systems: Sequence[System], most: int) -> list[System]:
    """At most about ``most`` frames, spread evenly over all frames, as systems of their own."""
    places = [(system, k) for system in systems for k in range(system.n_frames)]
    chosen = np.unique(np.linspace(0, len(places) - 1, most).astype(int))
    return [places[index][0].select([places[index][1]]) for index in chosen]


def calibration_atoms(model: DeepPot, systems: Sequence[System], most: int = _CALIBRATION_ATOMS) -> Iterator[AtomInput]:
    """Neighbor words of all atoms of frames spread over ``systems``, about ``most`` atoms."""
    mean = np.mean([system.n_atoms for system in systems for _ in range(system.n_frames)])
    for system in spread_frames(systems, max(1, round(most / mean))):
        types = model_types(system, model.shape.type_map)
        pairs = find_pairs(system.positions[0], system.cells[0], model.shape.rcut * (1 - 1e-4), system.periodic)
        x = np.rint(pairs.vectors * 2.0**_DX_FRAC).astype(np.int64)
        first = np.searchsorted(pairs.centers, np.arange(system.n_atoms + 1))
        for i, center in enumerate(types):
            span = slice(first[i], first[i + 1])
            yield AtomInput(int(center), x[span], types[pairs.neighbors[span]])


def correct_energies(model: DeepPot, integer: IntegerModel, systems: Sequence[System]) -> IntegerModel:
    """Move the output biases by the mean energy error per atom against the float model, type by type where known."""
    pot, reference = IntegerPot.from_float(model, integer), copy.deepcopy(model).double()
    counts, errors = [], []
    for system in spread_frames(systems, _CORRECTION_FRAMES):
        types = model_types(system, integer.type_map)
        words = pack_frame(integer, system.positions[0], system.cells[0], types, system.periodic)
        with torch.no_grad():
            energy = float(pot(prepare_words(integer, words), virial=False).energies)
        energy += float(reference.energy_shifts[types].sum())
        counts.append(np.bincount(types, minlength=integer.n_types))
        errors.append(float(predict(reference, system).energies[0]) - energy)
    size = np.sqrt([count.sum() for count in counts])
    shift = np.linalg.lstsq(np.array(counts) / size[:, None], np.array(errors) / size, rcond=None)[0]
    frac = integer.formats.weight_frac[-1] + integer.formats.act_frac[-1]
    bias = integer.out_bias + np.rint(shift * 2.0**frac).astype(np.int32)
    return dataclasses.replace(integer, out_bias=bias.astype(np.int32)).validate()
