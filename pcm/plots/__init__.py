"""Plots of the analyses, each drawn into a matplotlib axis that the caller has made; labels carry the units."""

from nvnmd.pcm.plots.curves import (
    plot_angles,
    plot_coordination,
    plot_crystallinity,
    plot_density,
    plot_growth,
    plot_msd,
    plot_profiles,
    plot_rdf,
    plot_rings,
    plot_scattering,
    plot_tetrahedral,
    plot_viscosity,
    plot_voids,
)
from nvnmd.pcm.plots.maps import plot_altbc, plot_map

__all__ = [
    "plot_altbc",
    "plot_angles",
    "plot_coordination",
    "plot_crystallinity",
    "plot_density",
    "plot_growth",
    "plot_map",
    "plot_msd",
    "plot_profiles",
    "plot_rdf",
    "plot_rings",
    "plot_scattering",
    "plot_tetrahedral",
    "plot_viscosity",
    "plot_voids",
]
