"""The settings of the shown runs are valid, and say what they are."""

from pathlib import Path

import pytest

from nvnmd.pcm.settings import protocol_runs, read_protocol, read_settings
from nvnmd.pcm.structures.cells import unit_cell
from nvnmd.pcm.structures.materials import material

FOLDER = Path(__file__).parents[3] / "examples" / "pcm"
RUNS = {"gete-melt-quench": "melt-quench", "gete-sizes": "heat", "gete-mushroom-reset": "reset",
        "gete-cross-point": "reset"}  # fmt: skip


def test_every_file_is_tested():
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {*RUNS, "big-gete", "big-sb", "big-gst"}


@pytest.mark.parametrize("name", RUNS)
def test_protocols(name):
    path = FOLDER / f"{name}.yaml"
    assert f"nvnmd pcm {RUNS[name]} -s examples/pcm/{name}.yaml" in path.read_text()
    runs = protocol_runs(read_protocol(RUNS[name], path))
    assert all(run.plan()[-1].last_step > 1000 for run in runs.values())


@pytest.mark.parametrize(
    ("name", "form", "atoms"),
    [
        ("big-gete", "rocksalt", 1_728_000),
        ("big-sb", "a7", 1_536_000),
        ("big-gst", "trigonal", 1_687_500),
        ("gete-cross-point", "trigonal", 532_980),
        ("gete-mushroom-reset", "rocksalt", 51_840),
    ],
)
def test_sizes(name, form, atoms):
    path = FOLDER / f"{name}.yaml"
    settings = read_settings(path) if name.startswith("big") else read_protocol("reset", path)
    cells = settings.repeats[0] * settings.repeats[1] * settings.repeats[2]
    assert cells * len(unit_cell(material(settings.material), form).sites) == atoms
    assert f"{atoms:,}" in path.read_text()
