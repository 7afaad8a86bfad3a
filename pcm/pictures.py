"""Pictures and films of runs, colored by element, by crystalline order or by temperature.

The project's own renderer is the default and needs nothing; `renderer="ovito"` takes OVITO's (`nvnmd[viz]`).
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.analysis import atom_temperatures, crystal_order, field_map
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.render import element_colors, render
from nvnmd.pcm.trajectory import Snapshot

ColorBy = Literal["element", "order", "temperature"]
Renderer = Literal["own", "ovito"]
Floats = NDArray[np.float64]

ORDER_COLORS = ((0.70, 0.16, 0.20), (0.95, 0.80, 0.25))
"""Disordered and crystalline, red and yellow as in the published pictures."""
HOT_K = 1500.0


def atom_colors(snapshot: Snapshot, color_by: ColorBy = "element", hot_K: float = HOT_K) -> Floats:
    """Red, green, blue [n, 3] of every atom. Temperatures are means over 10 A in the plane of x and z, from 0 to hot_K.

    Raises PcmError for temperatures of a frame without velocities.
    """
    if color_by == "element":
        return element_colors(snapshot)
    if color_by == "order":
        return np.array(ORDER_COLORS)[crystal_order(snapshot).crystalline.astype(np.int64)]
    if color_by != "temperature":
        raise PcmError(f"colors by {color_by!r} are not known; take element, order or temperature")
    from matplotlib import colormaps

    around = field_map(snapshot, atom_temperatures(snapshot))
    lengths = np.diag(snapshot.cell)
    cells = [np.minimum((snapshot.positions[:, k] % lengths[k] / lengths[k] * n).astype(np.int64), n - 1)
             for k, n in zip((0, 2), around.value.shape, strict=True)]  # fmt: skip
    return np.asarray(colormaps["inferno"](around.value[cells[0], cells[1]] / hot_K)[:, :3], dtype=np.float64)


def picture(
    snapshot: Snapshot,
    color_by: ColorBy = "element",
    size_px: int = 900,
    view_deg: tuple[float, float] = (28.0, 16.0),
    renderer: Renderer = "own",
    hot_K: float = HOT_K,
) -> bytes:
    """PNG of a frame. Raises PcmError for `renderer="ovito"` where OVITO is not installed."""
    colors = atom_colors(snapshot, color_by, hot_K)
    if renderer == "ovito":
        return _ovito(snapshot, colors, size_px, view_deg)
    return render(snapshot, size_px=size_px, colors=colors, view_deg=view_deg)


def film(pngs: Iterable[bytes], path: Path, per_second: float = 8.0) -> Path:
    """Write pictures as a film, GIF or MP4 by the path's ending. MP4 needs the package imageio-ffmpeg.

    Raises PcmError for another ending, without pictures, and for MP4 where that package is missing.
    """
    from PIL import Image

    frames = []
    for png in pngs:
        image = Image.open(io.BytesIO(png)).convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        frames.append(Image.alpha_composite(white, image).convert("RGB"))
    if not frames:
        raise PcmError(f"{path}: a film needs at least one picture")
    size = max(f.width for f in frames), max(f.height for f in frames)
    # One size for all: the cell may change along a run.
    frames = [_centered(frame, (size[0] + size[0] % 2, size[1] + size[1] % 2)) for frame in frames]
    temporary = path.with_name(f".{path.stem}.tmp{path.suffix}")
    if path.suffix == ".gif":
        duration = 1000 / per_second
        frames[0].save(temporary, save_all=True, append_images=frames[1:], duration=duration, loop=0, optimize=True)
    elif path.suffix == ".mp4":
        _mp4(frames, temporary, per_second)
    else:
        raise PcmError(f"{path}: films are written as .gif or .mp4; choose one of these endings")
    temporary.replace(path)
    return path


def _centered(image, size):  # type: ignore[no-untyped-def]
    from PIL import Image

    canvas = Image.new("RGB", size, "white")
    canvas.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
    return canvas


def _mp4(frames, path, per_second):  # type: ignore[no-untyped-def]
    try:
        from imageio_ffmpeg import write_frames
    except ImportError:
        raise PcmError(
            "MP4 films need imageio-ffmpeg; install it with: pip install imageio-ffmpeg, or write a .gif"
        ) from None
    writer = write_frames(str(path), frames[0].size, fps=per_second, macro_block_size=2)
    writer.send(None)
    for frame in frames:
        writer.send(frame.tobytes())
    writer.close()


def _ovito(snapshot: Snapshot, colors: Floats, size_px: int, view_deg: tuple[float, float]) -> bytes:
    import tempfile

    try:
        from ovito.data import DataCollection
        from ovito.pipeline import Pipeline, StaticSource
        from ovito.vis import TachyonRenderer, Viewport
    except ImportError:
        raise PcmError("pictures by OVITO need it installed; use pip install 'nvnmd[viz]', or renderer 'own'") from None
    data = DataCollection()
    fractions = np.linalg.solve(snapshot.cell.T, snapshot.positions.T).T % 1.0
    data.create_cell(np.column_stack([snapshot.cell.T, np.zeros(3)]), pbc=(True, True, True))
    atoms = data.create_particles(count=len(fractions))
    atoms.create_property("Position", data=fractions @ snapshot.cell)
    atoms.create_property("Color", data=colors)
    atoms.create_property("Radius", data=np.full(len(fractions), 1.3))
    pipeline = Pipeline(source=StaticSource(data=data))
    pipeline.add_to_scene()
    azimuth, elevation = np.radians(view_deg)
    ahead = (-np.sin(azimuth) * np.cos(elevation), np.cos(azimuth) * np.cos(elevation), -np.sin(elevation))
    viewport = Viewport(type=Viewport.Type.Ortho, camera_dir=ahead, camera_up=(0, 0, 1))
    viewport.zoom_all(size=(size_px, size_px))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        renderer = TachyonRenderer(ambient_occlusion=False, shadows=False)
        viewport.render_image(filename=str(path), size=(size_px, size_px), renderer=renderer, background=(1, 1, 1))
        pipeline.remove_from_scene()
        return path.read_bytes()
