"""Pictures of large cells are slices; maps stand in rows by the cell's shape."""

import base64
import io
import re

import numpy as np
from PIL import Image

from nvnmd.pcm.analysis import atom_temperatures
from nvnmd.pcm.structures import crystal
from nvnmd.pcm.trajectory import Snapshot
from nvnmd.report import pcm_device


def moving_crystal(repeats):
    atoms = crystal("GeTe", repeats=repeats)
    velocities = np.random.default_rng(0).normal(0, 2.0, atoms.positions.shape)
    symbols = np.array(atoms.get_chemical_symbols())
    return Snapshot(atoms.positions, atoms.cell.array, symbols, 500, velocities)


def test_stills_show_a_slice(monkeypatch):
    frame = moving_crystal((3, 6, 3))
    shown = []
    render = pcm_device.render

    def spy(part, **options):
        shown.append((len(part.positions), len(options["colors"])))
        return render(part, **options | {"size_px": 60})

    monkeypatch.setattr(pcm_device, "render", spy)
    monkeypatch.setattr(pcm_device, "SLICE_A", 12.0)
    stills = pcm_device._stills(frame, 0.002)
    # Two of six cells along y, eight atoms each.
    assert shown == [(144, 144)] * 2
    assert "1.0 ps" in stills.figures[0].caption
    data = re.search(r"base64,([^\"]+)", stills.figures[1].html).group(1)
    assert Image.open(io.BytesIO(base64.b64decode(data))).size[1] == 60


def test_maps_have_one_scale_and_their_times():
    frames = [moving_crystal((6, 2, 3)) for _ in range(4)]
    assert atom_temperatures(frames[0]).mean() > 100
    svg = pcm_device._maps("pulse", frames, 0.002)
    assert svg.count("1.0 ps") == 4
    assert "temperature (K)" in svg
