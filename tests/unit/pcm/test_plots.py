"""Every plot says its units and draws what it was given."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from nvnmd.pcm import analysis as measure
from nvnmd.pcm import plots


@pytest.fixture
def axis():
    return Figure().subplots()


@pytest.fixture
def frame(lattice):
    return lattice("rocksalt", 3, 6.0, ("Ge", "Te"), noise=0.15)


def test_structure_plots(axis, frame):
    drawn = (
        (plots.plot_rdf, measure.partial_rdf([frame], ["Ge", "Te"]), "r (Å)", 4),
        (plots.plot_angles, measure.angle_distribution([frame]), "bond angle (degrees)", 2),
        (plots.plot_tetrahedral, measure.tetrahedral_order([frame]), "tetrahedral order q of Ge", 5),
        (plots.plot_scattering, measure.structure_factor([frame], 4.0, 20), "q (1/Å)", 4),
    )
    for plot, found, label, lines in drawn:
        axis.clear()
        plot(axis, found)
        assert axis.get_xlabel() == label
        assert len(axis.lines) == lines
        assert axis.get_ylabel()


def test_bar_plots(axis, frame):
    plots.plot_coordination(axis, measure.bond_statistics([frame]))
    assert_allclose(sum(bar.get_height() for bar in axis.patches), 2)
    axis.clear()
    rings = measure.RingStatistics(np.array([3, 4, 5]), np.array([0.0, 3.0, 0.5]), 1)
    plots.plot_rings(axis, rings)
    assert [bar.get_height() for bar in axis.patches] == [0, 3, 0.5]
    axis.clear()
    plots.plot_voids(axis, measure.Voids(0.1, np.array([5.0, 2.0]), 3.0, 0.5))
    assert [bar.get_height() for bar in axis.patches] == [5, 2]


def test_run_plots(axis):
    time = np.arange(5.0)
    plots.plot_msd(axis, measure.Displacement(time, {"Ge": 6 * time}, {"Ge": np.stack([5 * time, 7 * time])}))
    assert "Å²" in axis.get_ylabel()
    axis.clear()
    plots.plot_viscosity(axis, measure.Viscosity(1.5, 0.2, time, np.ones(5), time))
    assert "mPa s" in axis.get_ylabel()
    axis.clear()
    plots.plot_density(axis, measure.DensityCurve(300 + time, 6 - 0.1 * time, 0.01 * np.ones(5)))
    assert "g/cm³" in axis.get_ylabel()
    axis.clear()
    plots.plot_crystallinity(axis, time, time / 5)
    assert_allclose(axis.lines[0].get_ydata(), 20 * time)
    axis.clear()
    plots.plot_growth(axis, measure.Growth(time, 20 + 0.12 * time, 6.0, 0.1))
    assert_allclose(axis.lines[1].get_ydata(), (20 + 0.12 * time) / 10)
    axis.clear()
    plots.plot_profiles(axis, {"Ge": measure.Profile("z", 10 * time, time, time)}, "density (1/Å³)")
    assert axis.get_xlabel() == "z (nm)"


def test_maps(axis, frame):
    image = plots.plot_altbc(axis, measure.altbc([frame]))
    assert image.get_array().shape == (80, 80)
    edges = np.linspace(0, 20, 5)
    image = plots.plot_map(axis, measure.FieldMap(("x", "z"), (edges, 2 * edges), np.arange(16.0).reshape(4, 4)))
    # The first axis runs to the right, the second upward.
    assert image.get_array()[1, 0] == 1
    assert_allclose(image.get_extent(), (0, 2, 0, 4))
