"""Plots over two coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nvnmd.pcm import analysis as measure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_altbc(axis: Axes, found: measure.Altbc) -> Any:
    """ALTBC map; the diagonal is where opposite bonds are equally long. Returns the colors for a color bar."""
    half = (found.r[1] - found.r[0]) / 2
    ends = (found.r[0] - half, found.r[-1] + half)
    image = axis.imshow(found.density.T, origin="lower", extent=(*ends, *ends), cmap="magma", interpolation="bilinear")
    axis.plot(ends, ends, color="white", linewidth=0.6, linestyle="--")
    axis.grid(False)
    axis.set(xlabel="r₁ (Å)", ylabel="r₂ (Å)")
    return image


def plot_map(axis: Axes, found: measure.FieldMap, low: float | None = None, high: float | None = None) -> Any:
    """A field in the plane of two axes, in nm. Returns the colors for a color bar."""
    ends = [edge / 10 for edges in found.edges_A for edge in (edges[0], edges[-1])]
    extent = (ends[0], ends[1], ends[2], ends[3])
    image = axis.imshow(found.value.T, origin="lower", extent=extent, cmap="inferno", vmin=low, vmax=high,
                        interpolation="bilinear")  # fmt: skip
    axis.grid(False)
    axis.set(xlabel=f"{found.axes[0]} (nm)", ylabel=f"{found.axes[1]} (nm)", aspect="equal")
    return image
