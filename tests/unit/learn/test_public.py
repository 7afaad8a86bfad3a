"""Public data sets, from a small copy in the form in which load-atoms keeps them."""

from pathlib import Path

import numpy as np
import pytest
from toys import structure

from nvnmd.learn.errors import LearnError
from nvnmd.learn.public import fetch
from nvnmd.training.frames import load_systems

load_atoms = pytest.importorskip("load_atoms", reason="load-atoms is not installed (pip install 'nvnmd[data]')")

ENTRY = """\
name: GST-GAP-22
year: 2023
category: Potential Fitting
license: CC BY 4.0
citation: |
    @article{Zhou-23, title = {Device-scale atomistic modelling of phase-change memory materials}, year = {2023}}
description: a small copy
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """As load-atoms leaves it after a download: four frames, one without forces, one with NaN."""
    from load_atoms.atoms_dataset import InMemoryAtomsDataset
    from load_atoms.database import DatabaseEntry

    (tmp_path / "root/database-entries").mkdir(parents=True)
    path = tmp_path / "root/database-entries/GST-GAP-22.yaml"
    path.write_text(ENTRY)
    frames = []
    for k in range(4):
        atoms = structure(k)
        atoms.info |= {"energy": -33.0 - k, "config_type": "crystal", "virial": np.eye(3) * k}
        if k != 1:
            atoms.arrays["forces"] = np.full((8, 3), np.nan if k == 2 else 0.1 * k)
        frames.append(atoms)
    InMemoryAtomsDataset.save(tmp_path / "root/GST-GAP-22.pkl", iter(frames), DatabaseEntry.from_yaml_file(path))
    return tmp_path / "root"


def test_a_set_comes_with_citation_and_licence(root: Path, tmp_path: Path) -> None:
    fetched = fetch("gst-gap-22", tmp_path / "set", root)
    assert (fetched.frames, fetched.left_out, fetched.license) == (2, 2, "CC BY 4.0")
    assert fetched.citation.startswith("@article{Zhou-23")
    assert (tmp_path / "set/LICENSE.txt").read_text() == "CC BY 4.0\n"
    assert (tmp_path / "set/CITATION.bib").read_text().startswith("@article{Zhou-23")
    (system,) = load_systems(tmp_path / "set", ["Ge", "Te"])
    assert (system.n_frames, system.dataset, system.label) == (2, "GST-GAP-22", "dft")
    assert system.energies.tolist() == [-33.0, -36.0]
    np.testing.assert_allclose(system.virials[1], np.eye(3) * 3)
    np.testing.assert_allclose(system.positions[1], structure(3).positions, atol=1e-7)


def test_a_set_that_cannot_be_had_says_so(tmp_path: Path, monkeypatch) -> None:
    def unknown(name, root=None):
        raise ValueError("no such set")

    monkeypatch.setattr(load_atoms, "load_dataset", unknown)
    with pytest.raises(LearnError, match=r"gst: load-atoms cannot get it \(no such set\); names are listed at"):
        fetch("gst", tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_without_load_atoms_the_command_says_how_to_get_it(tmp_path: Path, monkeypatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "load_atoms", None)
    with pytest.raises(LearnError, match=r"pip install 'nvnmd\[data\]'"):
        fetch("gst-gap-22", tmp_path)
