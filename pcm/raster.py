"""A small renderer of spheres and rods in numpy: orthographic, with a depth buffer.

It needs no graphics driver, so that a report looks the same on every machine. View coordinates: x to the right, y up, z
towards the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_LIGHT = np.array([-0.42, 0.55, 0.72])
_OVERSAMPLING = 2
_SPACING_PX = 0.7
"""Between the points that a rod is drawn with; below 1/sqrt(2), so that no pixel is left out."""
_CHUNK = 200


@dataclass(frozen=True)
class Spheres:
    """centers: [n, 3] A in view coordinates; radii: [n] A; colors: [n, 3] red, green, blue from 0 to 1."""

    centers: Floats
    radii: Floats
    colors: Floats


@dataclass(frozen=True)
class Rods:
    """starts, ends: [n, 3] A in view coordinates; radius: A; colors: [n, 3] red, green, blue from 0 to 1."""

    starts: Floats
    ends: Floats
    radius: float
    colors: Floats


@dataclass(frozen=True)
class _Picture:
    """depth: [height * width] px, color: [height * width, 3], both drawn into; z_A of the front and the back."""

    depth: Floats
    color: Floats
    width: int
    height: int
    front: float
    back: float

    def put(self, columns: Integers, rows: Integers, depth: Floats, normals: Floats, colors: Floats) -> None:
        """Light points and keep the nearest of each pixel; all arrays over points, normals and colors [points, 3]."""
        target = rows * self.width + columns
        seen = np.flatnonzero(depth > self.depth[target])
        # From back to front: where two points share a pixel, the last assignment, the nearest, stays.
        seen = seen[np.argsort(depth[seen], kind="stable")]
        target, depth = target[seen], depth[seen]
        light = np.clip(normals[seen] @ _LIGHT, 0.0, 1.0)[:, None]
        near = (0.42 + 0.58 * (depth - self.back) / max(self.front - self.back, 1e-9))[:, None]
        shade = (0.38 + 0.62 * light) * colors[seen] + 0.30 * light**24
        self.depth[target] = depth
        self.color[target] = near * shade + (1.0 - near) * 0.93


def view_rotation(azimuth_deg: float = 28.0, elevation_deg: float = 16.0) -> Floats:
    """Matrix [3, 3] from cell coordinates with z up to view coordinates."""
    azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
    turn = np.array([[np.cos(azimuth), np.sin(azimuth), 0], [-np.sin(azimuth), np.cos(azimuth), 0], [0, 0, 1]])
    tilt = np.array([[1, 0, 0], [0, np.sin(elevation), np.cos(elevation)], [0, -np.cos(elevation), np.sin(elevation)]])
    return np.asarray(tilt @ turn, dtype=np.float64)


def draw(spheres: Spheres, rods: list[Rods], size_px: int) -> NDArray[np.uint8]:
    """Picture [height, width, 4] (red, green, blue, opacity), `size_px` on its longer side."""
    ends = [end for rod in rods for end in (rod.starts, rod.ends)]
    margin = max([0.0, *spheres.radii, *(rod.radius for rod in rods)])
    points = np.concatenate([spheres.centers, *ends])
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    scale = (size_px * _OVERSAMPLING - 2) / float((high - low)[:2].max())
    width, height = (-(-int(extent * scale + 2) // _OVERSAMPLING) * _OVERSAMPLING for extent in (high - low)[:2])
    empty = np.full(width * height, -np.inf), np.zeros((width * height, 3))
    picture = _Picture(*empty, width, height, (high[2] - low[2]) * scale, 0.0)
    _draw_spheres(picture, (spheres.centers - low) * scale, spheres.radii * scale, spheres.colors)
    for rod in rods:
        for k in range(0, len(rod.starts), _CHUNK):
            part = slice(k, k + _CHUNK)
            line = (rod.starts[part] - low) * scale, (rod.ends[part] - low) * scale
            _draw_rods(picture, *line, rod.radius * scale, rod.colors[part])
    return _shrink(picture)


def _draw_spheres(picture: _Picture, pixels: Floats, radii: Floats, colors: Floats) -> None:
    """pixels: [n, 3] x, y and z of the centers in pixels."""
    for center, radius, color in zip(pixels, radii, colors, strict=True):
        x, y = (np.arange(int(center[k] - radius), int(center[k] + radius) + 2) for k in (0, 1))
        dx, dy = np.meshgrid((x - center[0]) / radius, (y - center[1]) / radius)
        square = dx * dx + dy * dy
        inside = square <= 1.0
        row, column = np.nonzero(inside)
        height = np.sqrt(1.0 - square[inside])
        normals = np.stack([dx[inside], dy[inside], height], axis=1)
        points = np.broadcast_to(color, normals.shape)
        picture.put(x[column], picture.height - 1 - y[row], center[2] + radius * height, normals, points)


def _draw_rods(picture: _Picture, starts: Floats, ends: Floats, radius: float, colors: Floats) -> None:
    """starts, ends: [n, 3] in pixels; every rod is a grid of points along it and across its visible half."""
    axis = ends - starts
    axis /= np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-9)
    side = np.stack([-axis[:, 1], axis[:, 0], np.zeros(len(axis))], axis=1)
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    facing = np.cross(axis, side)
    facing *= np.where(facing[:, 2:] < 0, -1.0, 1.0)
    length = float(np.linalg.norm((ends - starts)[:, :2], axis=1).max(initial=0.0))
    along = np.linspace(0, 1, max(2, int(length / _SPACING_PX) + 1))[None, :, None, None]
    across = np.linspace(-1, 1, max(3, int(2 * radius / _SPACING_PX) + 1))[None, None, :, None]
    normals = across * side[:, None, None] + np.sqrt(1 - across**2) * facing[:, None, None]
    points = starts[:, None, None] + along * (ends - starts)[:, None, None] + radius * normals
    normals, tint = (np.broadcast_to(a, points.shape).reshape(-1, 3) for a in (normals, colors[:, None, None]))
    points = points.reshape(-1, 3)
    pixel = np.round(points[:, :2]).astype(np.int64)
    picture.put(pixel[:, 0], picture.height - 1 - pixel[:, 1], points[:, 2], normals, tint)


def _shrink(picture: _Picture) -> NDArray[np.uint8]:
    """Average blocks of pixels, so that edges are smooth; opacity is the covered share of a block."""
    n = _OVERSAMPLING
    height, width = picture.height // n, picture.width // n
    covered = np.isfinite(picture.depth)
    opacity = covered.reshape(height, n, width, n).mean(axis=(1, 3))
    total = (picture.color * covered[:, None]).reshape(height, n, width, n, 3).mean(axis=(1, 3))
    rgb = np.clip(total / np.maximum(opacity, 1e-9)[..., None], 0.0, 1.0)
    return np.round(np.concatenate([rgb, opacity[..., None]], axis=2) * 255).astype(np.uint8)
