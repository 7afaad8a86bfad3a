"""Diffusion of random walkers, and viscosity and density of made-up records with known answers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nvnmd.pcm.analysis import density_against_temperature, displacement, viscosity
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.thermo import ThermoLog
from nvnmd.pcm.trajectory import Snapshot


def walkers(count, frames, sigma, seed=0, drift=0.0, every=50):
    """Brownian walkers with steps of `sigma` A between frames; Te takes steps twice as long."""
    generator = np.random.default_rng(seed)
    symbols = np.resize(["Ge", "Te"], count)
    steps = generator.normal(0, sigma, (frames, count, 3)) * np.where(symbols == "Te", 2.0, 1.0)[:, None] + drift
    return [Snapshot(p, np.eye(3) * 20, symbols, k * every) for k, p in enumerate(np.cumsum(steps, axis=0))]


def test_diffusion_of_random_walkers_within_its_error_bars():
    # D = sigma^2 / (2 t) with 0.1 ps between frames; the drift is no diffusion.
    found = displacement(walkers(400, 200, 0.2, drift=0.3), timestep_fs=2.0).diffusion()
    assert [d.element for d in found] == ["Ge", "Te"]
    for diffusion, exact in zip(found, (0.2, 0.8), strict=True):
        assert abs(diffusion.coefficient - exact) < 4 * diffusion.error
        assert 0 < diffusion.error < 0.15 * exact
    assert_allclose(found[0].cm2_per_s, 1e-4 * found[0].coefficient)


def test_error_bars_are_those_of_repeated_runs():
    runs = [displacement(walkers(40, 100, 0.2, seed), 2.0).diffusion()[0] for seed in range(30)]
    spread = np.std([run.coefficient for run in runs])
    assert 0.6 < np.mean([run.error for run in runs]) / spread < 1.6


def test_msd_written_out():
    frames = walkers(20, 24, 0.3, seed=2)
    found = displacement(frames, 2.0, blocks=2)
    paths = np.stack([f.positions - f.positions.mean(axis=0) for f in frames])[12:, frames[0].symbols == "Te"]
    for lag in (1, 5, 11):
        exact = np.mean(np.sum((paths[lag:] - paths[:-lag]) ** 2, axis=-1))
        assert_allclose(found.blocks["Te"][1][lag], exact, rtol=1e-4)
    assert_allclose(found.time_ps[:2], [0, 0.1])


@pytest.mark.parametrize(
    ("frames", "blocks", "message"),
    [(walkers(4, 10, 0.1), 5, "too few"), ([], 5, "no frame"), (walkers(4, 30, 0.1)[::-1][:7] * 3, 5, "equal steps"),
     (walkers(4, 30, 0.1) + walkers(6, 1, 0.1), 5, "has 6 atoms"), (walkers(4, 30, 0.1), 1, "at least 2")],
)  # fmt: skip
def test_motion_that_cannot_be_measured(frames, blocks, message):
    with pytest.raises(PcmError, match=message):
        displacement(frames, 2.0, blocks)


def noise_with_memory(count, spacing, tau, sigma, seed):
    """Ornstein-Uhlenbeck series whose autocorrelation is sigma^2 exp(-t / tau)."""
    from scipy.signal import lfilter

    keep = np.exp(-spacing / tau)
    kicks = np.random.default_rng(seed).normal(0, sigma * np.sqrt(1 - keep**2), (count, 3))
    return lfilter([1.0], [1.0, -keep], kicks, axis=0)


def test_viscosity_of_a_stress_with_known_memory():
    stress = noise_with_memory(100_000, 0.01, 0.2, 2000.0, 1)
    found = viscosity(stress, 0.01, volume_A3=6400.0, temperature_K=1000.0, window_ps=2.0)
    # V sigma^2 tau / (k_B T) = 6.4e-27 m^3 (2e8 Pa)^2 2e-13 s / 1.380649e-20 J
    exact = 6.4e-27 * 4e16 * 2e-13 / 1.380649e-20 * 1e3
    assert abs(found.value - exact) < 4 * found.error
    assert found.error < 0.1 * exact
    assert_allclose(found.correlation[0], 4e6, rtol=0.1)
    assert_allclose(found.integral[-1], found.value)


def test_a_short_run_has_no_viscosity():
    with pytest.raises(PcmError, match="too few"):
        viscosity(np.zeros((500, 3)), 0.01, 6400.0, 1000.0)


def test_density_of_a_log_that_expands():
    log = ThermoLog(columns=["Step", "Temp", "Volume"], rows=[[k, 300 + k, 1000 + 2.0 * k] for k in range(200)],
                    stages=["heat"] * 150 + ["hold"] * 50)  # fmt: skip
    found = density_against_temperature(log, mass_amu=3600.0, width_K=50.0)
    volume = 1000 + 2 * (found.temperature_K - 300)
    assert_allclose(found.density, 3600 * 1.66053906660 / volume, rtol=1e-3)
    assert_allclose(found.temperature_K, [324.5, 374.5, 424.5, 474.5])
    assert len(density_against_temperature(log, 3600.0, 50.0, "hold").density) == 1
    with pytest.raises(PcmError, match="no row of stage 'cool'"):
        density_against_temperature(log, 3600.0, stage="cool")
