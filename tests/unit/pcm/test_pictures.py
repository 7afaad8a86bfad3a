"""Pictures and films: colors by what they say, sizes, and what is missing."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.pictures import ORDER_COLORS, atom_colors, film, picture
from nvnmd.pcm.trajectory import Snapshot


@pytest.fixture
def frame(lattice):
    plain = lattice("rocksalt", (3, 2, 4), 6.0, ("Ge", "Te"))
    # Fast atoms at the top.
    speed = np.where(plain.positions[:, 2:] > 12, 10.0, 0.5) * np.ones(3)
    return Snapshot(plain.positions, plain.cell, plain.symbols, 3, speed)


def test_colors_by_element_order_and_temperature(frame, lattice):
    by_element = atom_colors(frame)
    assert len(np.unique(by_element, axis=0)) == 2
    assert (atom_colors(frame, "order") == ORDER_COLORS[1]).all()
    tall = lattice("rocksalt", (2, 2, 16), 6.0, ("Ge", "Te"))
    high = tall.positions[:, 2] > 48
    moving = Snapshot(tall.positions, tall.cell, tall.symbols, 3, np.where(high, 10.0, 0.5)[:, None] * np.ones(3))
    warm = atom_colors(moving, "temperature", hot_K=12_000).sum(axis=1)
    assert warm[high].mean() > warm[~high].mean() + 0.1
    with pytest.raises(PcmError, match="no velocities"):
        atom_colors(Snapshot(frame.positions, frame.cell, frame.symbols), "temperature")
    with pytest.raises(PcmError, match="not known"):
        atom_colors(frame, "charge")


def test_picture_shows_the_colors_and_the_view(frame):
    png = picture(frame, "order", size_px=120, view_deg=(0, 0))
    image = np.asarray(Image.open(io.BytesIO(png)))
    assert image.shape[0] == 120
    # 18 A wide and 24 A high when looked at along y.
    assert abs(image.shape[1] / image.shape[0] - 18 / 24) < 0.1
    solid = image[image[..., 3] == 255].astype(int)
    assert (solid[:, 0] > solid[:, 2] + 40).mean() > 0.5


def test_film_has_a_frame_for_each_picture(tmp_path, frame):
    pngs = [picture(frame, by, size_px=60) for by in ("element", "order", "temperature")]
    with Image.open(film(pngs, tmp_path / "a.gif")) as gif:
        assert gif.n_frames == 3
    with pytest.raises(PcmError, match=r"\.gif or \.mp4"):
        film(pngs, tmp_path / "a.avi")
    with pytest.raises(PcmError, match="at least one"):
        film([], tmp_path / "a.gif")


def test_missing_packages_are_named(tmp_path, monkeypatch, frame):
    monkeypatch.setitem(sys.modules, "ovito.data", None)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(PcmError, match=r"pip install 'nvnmd\[viz\]'"):
        picture(frame, renderer="ovito")
    png = picture(frame, size_px=60)
    with pytest.raises(PcmError, match="pip install imageio-ffmpeg"):
        film([png], tmp_path / "a.mp4")
