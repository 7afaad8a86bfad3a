"""The renderer puts the near in front of the far, and everything where it belongs."""

import io

import numpy as np
import pytest
from matplotlib.image import imread

from nvnmd.pcm.raster import Rods, Spheres, draw, view_rotation
from nvnmd.pcm.render import render
from nvnmd.pcm.structures import crystal
from nvnmd.pcm.trajectory import Snapshot

RED, BLUE = [1.0, 0, 0], [0, 0, 1.0]


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_near_sphere_hides_the_far_one(order):
    centers, colors = np.array([[0, 0, 5.0], [0, 0, -5.0]])[order], np.array([RED, BLUE])[order]
    picture = draw(Spheres(centers, np.array([1.0, 2.0])[order], colors), [], 101)
    assert picture.shape[:2] in {(101, 101), (102, 102)}
    middle, rim = picture[50, 50], picture[50, 88]
    assert middle[0] > middle[2]
    assert rim[2] > rim[0]
    assert (middle[3], rim[3], picture[2, 2, 3]) == (255, 255, 0)


def test_rod_is_whole_and_where_its_ends_are():
    dots = Spheres(np.array([[0, 0, 0.0], [10, 10, 0.0]]), np.array([0.1, 0.1]), np.array([RED, RED]))
    rod = Rods(np.array([[0, 10.0, 1]]), np.array([[10.0, 10, -1]]), 0.5, np.array([BLUE]))
    picture = draw(dots, [rod], 200)
    # y points up: the rod is the top row of the picture.
    row = picture[11, 15:185]
    assert (row[:, 3] == 255).all()
    assert (row[:, 2] > row[:, 0]).all()
    assert not picture[60, :, 3].any()


def test_view_is_a_rotation_with_up_upwards():
    turn = view_rotation(40, 20)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)
    assert (turn @ [0, 0, 1])[1] > 0.9


def test_png_of_a_tilted_crystal():
    atoms = crystal("GeTe", 64, "rhombohedral")
    snapshot = Snapshot(atoms.positions + 100.0, atoms.cell.array, np.array(atoms.get_chemical_symbols()))
    picture = imread(io.BytesIO(render(snapshot, size_px=200)), format="png")
    assert max(picture.shape[:2]) == 200
    assert 0.1 < (picture[..., 3] > 0.5).mean() < 0.9
