"""Fluctuations of known size, and how two curves differ."""

import numpy as np
import pytest

from nvnmd.pcm.analysis import curve_difference, fluctuations, size_exponent
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.thermo import ThermoLog


def noisy_log(atoms, rows=4000, seed=0):
    """A stage 'hot' at 500 K whose deviations are 100 K, 2000 bar and 0.3 eV over sqrt(atoms); before it, nonsense."""
    draw = np.random.default_rng(seed).normal(size=(rows, 3)) / np.sqrt(atoms)
    values = np.array([500.0, 1000.0, -3.0 * atoms]) + draw * (100, 2000, 0.3 * atoms)
    # A slow drift of the energy, which is no fluctuation.
    values[:, 2] += np.linspace(-0.4, 0.4, rows) * atoms
    table = [[float(k), *row] for k, row in enumerate(values.tolist())]
    start = [[-1.0, 1e6, 1e6, 1e6]] * 50
    names = ["cold"] * 50 + ["hot"] * rows
    return ThermoLog(columns=["Step", "Temp", "Press", "PotEng"], rows=start + table, stages=names)


def test_deviations_and_their_exponent():
    sizes = np.array([64, 512, 4096])
    found = [fluctuations(noisy_log(n), "hot", int(n)) for n in sizes]
    assert found[0].rows == 2000
    assert found[0].temperature_K == pytest.approx((500, 100 / 8), rel=0.04)
    assert found[0].pressure_GPa == pytest.approx((0.1, 0.2 / 8), rel=0.04)
    assert found[0].energy_eV == pytest.approx((-2.8, 0.3 / 8), rel=0.04)
    assert found[1].canonical_K == pytest.approx(found[1].temperature_K[0] * np.sqrt(2 / (3 * 512)))
    assert size_exponent(sizes, np.array([f.energy_eV[1] for f in found])) == pytest.approx(-0.5, abs=0.02)


def test_too_few_rows_or_sizes():
    with pytest.raises(PcmError, match="'hot' has 5 rows"):
        fluctuations(noisy_log(64, rows=10), "hot", 64)
    with pytest.raises(PcmError, match="at least two"):
        size_exponent(np.array([64, 64]), np.array([1.0, 2.0]))


def test_difference_of_curves_is_taken_where_both_are():
    x = np.linspace(0, 10, 11)
    mean, low, high = curve_difference(x, x**2, np.array([8.0, 2.0, 5.0]), np.array([65.0, 5.0, 26.0]))
    # Straight lines between (2, 5), (5, 26) and (8, 65), against squares at 2, 3, ..., 8.
    line = np.array([5, 12, 19, 26, 39, 52, 65])
    assert (low, high) == (2, 8)
    assert mean == pytest.approx(np.abs(line - np.arange(2, 9) ** 2).mean())
    assert np.isnan(curve_difference(x, x, x + 20, x)[0])
