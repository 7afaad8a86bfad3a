"""Line and bar plots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm import analysis as measure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]


def _pair(pair: tuple[str, str]) -> str:
    return "–".join(pair)


def plot_rdf(axis: Axes, rdf: measure.PartialRdf) -> None:
    """g(r) of every pair."""
    for pair, g in rdf.g.items():
        axis.plot(rdf.r, g, label=_pair(pair))
    axis.axhline(1.0, color="gray", linewidth=0.5)
    axis.set(xlabel="r (Å)", ylabel="g(r)", xlim=(2, rdf.edges[-1]), ylim=(0, None))
    axis.legend()


def plot_coordination(axis: Axes, bonds: measure.BondStatistics) -> None:
    """Share of atoms with so many bonds, by element."""
    last = 1 + max(int(np.flatnonzero(d > 1e-3).max(initial=0)) for d in bonds.distribution.values())
    width = 0.8 / len(bonds.distribution)
    for number, (element, share) in enumerate(bonds.distribution.items()):
        axis.bar(np.arange(last + 1) + (number - 0.5 * len(bonds.distribution) + 0.5) * width, share[: last + 1], width,
                 label=element)  # fmt: skip
    axis.set(xlabel="bonds of an atom", ylabel="share of the element's atoms")
    axis.legend()


def plot_angles(axis: Axes, angles: measure.AngleDistribution) -> None:
    """Angle distribution around each element."""
    for element, density in angles.density.items():
        axis.plot(angles.angle_deg, density, label=f"around {element}")
    axis.set(xlabel="bond angle (degrees)", ylabel="density (1/degree)", xlim=(40, 180), ylim=(0, None))
    axis.legend()


def plot_tetrahedral(axis: Axes, order: measure.TetrahedralOrder) -> None:
    """Order parameter q by coordination; tetrahedral atoms are four-fold ones above 0.8."""
    for fold, density in order.density.items():
        axis.plot(order.q, density, label=f"{fold}-fold")
    axis.axvline(0.8, color="gray", linewidth=0.8, linestyle="--")
    highest = max(float(density.max(initial=0.0)) for density in order.density.values())
    axis.set(xlabel=f"tetrahedral order q of {order.element}", ylabel="density of atoms", xlim=(-0.2, 1))
    axis.set_ylim(0, 1.35 * highest or None)
    axis.legend(loc="upper left", ncols=2)


def plot_rings(axis: Axes, rings: measure.RingStatistics) -> None:
    """Primitive rings by size."""
    axis.bar(rings.size, rings.per_atom)
    axis.set(xlabel="bonds in a primitive ring", ylabel="rings per atom", xticks=rings.size)


def plot_voids(axis: Axes, voids: measure.Voids, most: int = 20) -> None:
    """Volumes of the largest voids."""
    axis.bar(np.arange(1, len(voids.volumes_A3[:most]) + 1), voids.volumes_A3[:most])
    axis.set(xlabel="void, by size", ylabel="volume (Å³)")


def plot_scattering(axis: Axes, factor: measure.StructureFactor, weights: Mapping[str, float] | None = None) -> None:
    """S(q), total and partial; bins without a wave vector are jumped over."""
    seen = ~np.isnan(factor.total())
    for pair, partial in factor.partial.items():
        axis.plot(factor.q[seen], partial[seen], linewidth=1.0, label=_pair(pair))
    axis.plot(factor.q[seen], factor.total(weights)[seen], color="gray", label="total")
    low, high = axis.get_ylim()
    axis.set(xlabel="q (1/Å)", ylabel="S(q)", xlim=(0.5, None), ylim=(low, high + 0.25 * (high - low)))
    axis.legend(loc="upper right", ncols=2)


def plot_msd(axis: Axes, moved: measure.Displacement) -> None:
    """MSD of each element, with the spread of its blocks."""
    for element, msd in moved.msd.items():
        (line,) = axis.plot(moved.time_ps, msd, label=element)
        spread = moved.blocks[element].std(axis=0)
        axis.fill_between(moved.time_ps, msd - spread, msd + spread, color=line.get_color(), alpha=0.2, linewidth=0)
    axis.set(xlabel="time (ps)", ylabel="mean square displacement (Å²)", ylim=(0, None))
    axis.legend()


def plot_viscosity(axis: Axes, found: measure.Viscosity) -> None:
    """Running Green-Kubo integral; a plateau is what makes its end a viscosity."""
    axis.plot(found.time_ps, found.integral)
    axis.errorbar(found.time_ps[-1], found.value, found.error, fmt="o", capsize=3)
    axis.set(xlabel="upper end of the integral (ps)", ylabel="viscosity (mPa s)")


def plot_density(axis: Axes, curve: measure.DensityCurve) -> None:
    """Mass density against temperature."""
    axis.errorbar(curve.temperature_K, curve.density, curve.spread, fmt="o-", markersize=3, linewidth=1)
    axis.set(xlabel="temperature (K)", ylabel="density (g/cm³)")


def plot_crystallinity(axis: Axes, time_ps: Floats, share: Floats) -> None:
    """Share of crystalline atoms along a run."""
    axis.plot(time_ps, 100 * share)
    axis.set(xlabel="time (ps)", ylabel="crystalline atoms (%)", ylim=(0, 100))


def plot_growth(axis: Axes, found: measure.Growth) -> None:
    """Thickness of the crystal along a run, with the straight line of the velocity."""
    axis.plot(found.time_ps, found.crystal_A / 10, "o", markersize=3)
    slope, start = found.velocity / 50, found.crystal_A.mean() - found.velocity / 50 * found.time_ps.mean()
    axis.plot(
        found.time_ps, (start + slope * found.time_ps) / 10, label=f"{found.velocity:.1f} ± {found.error:.1f} m/s"
    )
    axis.set(xlabel="time (ps)", ylabel="thickness of the crystal (nm)")
    axis.legend()


def plot_profiles(axis: Axes, profiles: Mapping[str, measure.Profile], label: str) -> None:
    """Profiles along an axis, by name."""
    for name, found in profiles.items():
        axis.plot(found.position_A / 10, found.value, label=name)
    along = next(iter(profiles.values())).axis
    axis.set(xlabel=f"{along} (nm)", ylabel=label)
    if len(profiles) > 1:
        axis.legend()
