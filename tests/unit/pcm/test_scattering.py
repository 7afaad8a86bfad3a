"""S(q): Bragg peaks of crystals, the gas, sum rules, and pair sums as a second way."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nvnmd.pcm.analysis import structure_factor
from nvnmd.pcm.analysis.scattering import wave_vectors
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot


def pair_sums(frame, vectors, a, b):
    """S_ab at each wave vector from the distances of all pairs of atoms."""
    first, second = (frame.positions[frame.symbols == name] for name in (a, b))
    delta = first[:, None] - second[None]
    return np.array([np.cos(delta @ q).sum() for q in vectors]) / len(frame.symbols)


@pytest.mark.parametrize("cell", [np.eye(3) * 8.0, np.array([[8.0, 0, 0], [1.5, 7, 0], [-1, 2, 9]])])
def test_partials_are_those_of_pair_sums_over_all_wave_vectors(cell):
    generator = np.random.default_rng(3)
    frame = Snapshot(generator.uniform(0, 1, (24, 3)) @ cell, cell, np.resize(["Ge", "Te"], 24))
    found = structure_factor([frame], 4.0, 8, per_bin=10_000)
    reciprocal = 2 * np.pi * np.linalg.inv(cell).T
    index = np.stack(np.meshgrid(*[np.arange(-8, 9)] * 3, indexing="ij"), -1).reshape(-1, 3)
    vectors = index[np.any(index != 0, axis=1)] @ reciprocal
    length = np.linalg.norm(vectors, axis=1)
    for k in range(8):
        inside = vectors[(length >= k / 2) & (length < (k + 1) / 2)]
        for pair, values in found.partial.items():
            expected = pair_sums(frame, inside, *pair).mean() if len(inside) else np.nan
            assert_allclose(values[k], expected, atol=1e-9)


@pytest.mark.parametrize("edge", [12.0, 400.0])
def test_wave_vectors_are_of_the_lattice_in_every_direction(edge):
    edges = np.linspace(0, 6, 13)
    vectors = wave_vectors(np.eye(3) * edge, edges, 40, np.random.default_rng(0))
    numbers = vectors * edge / (2 * np.pi)
    assert_allclose(numbers, np.round(numbers), atol=1e-9)
    assert not np.any(np.all(np.isclose(vectors[:, None], -vectors[None]), axis=2))
    counts = np.histogram(np.linalg.norm(vectors, axis=1), edges)[0]
    assert counts.max() <= 40
    assert (counts[4:] >= 30).all()
    outer = vectors[np.linalg.norm(vectors, axis=1) > 3]
    assert abs((outer / np.linalg.norm(outer, axis=1, keepdims=True))[:, 1:].mean(axis=0)).max() < 0.15


def test_bragg_peaks_of_rocksalt(lattice):
    frame = lattice("rocksalt", 4, 6.0, ("Ge", "Te"))
    found = structure_factor([frame], 2.4, 96, per_bin=1000)
    total, contrast = found.total(), found.total({"Ge": 1.0, "Te": -1.0})
    assert np.isnan(total[0])
    assert_allclose(found.q[np.nanargmax(total)], 2 * np.pi / 3, atol=0.03)
    # (111) is there only where the sublattices differ.
    assert_allclose(found.q[np.nanargmax(contrast)], np.sqrt(3) * 2 * np.pi / 6, atol=0.03)


def test_a_gas_has_no_structure(gas):
    frames = [gas(150, 16.0, seed) for seed in range(10)]
    found = structure_factor(frames, 6.0, 8, per_bin=200)
    assert_allclose(found.total()[3:], 1, atol=0.13)
    assert_allclose(found.partial["Ge", "Te"][3:], 0, atol=0.06)
    assert_allclose(found.partial["Ge", "Ge"][3:], 0.5, atol=0.06)
    assert_allclose(found.total({"Ge": 32.0, "Te": 52.0})[3:], 1, atol=0.13)


def test_no_frame():
    with pytest.raises(PcmError, match="no frame"):
        structure_factor([])
