"""Small files with labeled frames in the formats that nvnmd reads."""

from pathlib import Path

import numpy as np

from nvnmd.training.system import System

CELL = np.array([[6.0, 0.0, 0.0], [0.5, 5.5, 0.0], [0.0, -0.4, 6.5]])
SITES = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5], [0.5, 0.5, 0.5], [0, 0, 0.5]])


def small_system(n_frames=4, seed=0, virial=True, periodic=True, step=0.05, **changes) -> System:
    """Ge2Te4 moving at random; forces are those of springs to the sites, so that energies and forces fit each other."""
    rng = np.random.default_rng(seed)
    moves = np.cumsum(rng.normal(0.0, step, (n_frames, 6, 3)), axis=0)
    values = {
        "name": "small",
        "type_map": ("Ge", "Te"),
        "types": np.array([0, 0, 1, 1, 1, 1]),
        "cells": np.repeat(CELL[None] * periodic, n_frames, axis=0),
        "positions": SITES @ CELL + moves,
        "energies": -20.0 + np.sum(moves**2, axis=(1, 2)),
        "forces": -2.0 * moves,
        "virials": np.array([a + a.T for a in rng.normal(0.0, 1.0, (n_frames, 3, 3))]) if virial else None,
        "periodic": periodic,
    }
    return System(**(values | changes))


def write_npy(system: System, folder: Path, sets: int = 1) -> Path:
    """A deepmd/npy folder; frames are spread over the sets in order."""
    folder.mkdir(parents=True)
    np.savetxt(folder / "type.raw", system.types, fmt="%d")
    (folder / "type_map.raw").write_text("\n".join(system.type_map) + "\n")
    if not system.periodic:
        (folder / "nopbc").touch()
    for k, part in enumerate(np.array_split(np.arange(system.n_frames), sets)):
        (folder / f"set.{k:03d}").mkdir()
        for name, values in _arrays(system).items():
            np.save(folder / f"set.{k:03d}" / f"{name}.npy", values[part])
    return folder


def write_raw(system: System, folder: Path) -> Path:
    """A deepmd/raw folder."""
    folder.mkdir(parents=True)
    np.savetxt(folder / "type.raw", system.types, fmt="%d")
    (folder / "type_map.raw").write_text("\n".join(system.type_map) + "\n")
    for name, values in _arrays(system).items():
        np.savetxt(folder / f"{name}.raw", values)
    return folder


def _arrays(system: System) -> dict[str, np.ndarray]:
    n = system.n_frames
    arrays = {"coord": system.positions, "energy": system.energies, "force": system.forces}
    if system.periodic:
        arrays["box"] = system.cells
    if system.virials is not None:
        arrays["virial"] = system.virials
    return {name: values.reshape(n, -1) for name, values in arrays.items()}


def write_extxyz(system: System, path: Path, stress: bool = False, **info) -> Path:
    """Extended XYZ through ASE, with a virial or with ASE's stress."""
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.io import write

    frames = []
    for k in range(system.n_frames):
        atoms = Atoms(system.symbols, system.positions[k], cell=system.cells[k], pbc=system.periodic)
        labels = {"energy": system.energies[k], "forces": system.forces[k]}
        if stress:
            labels["stress"] = -system.virials[k] / atoms.get_volume()
        elif system.virials is not None:
            atoms.info["virial"] = system.virials[k]
        atoms.calc = SinglePointCalculator(atoms, **labels)
        atoms.info.update(info)
        frames.append(atoms)
    write(path, frames, format="extxyz")
    return path


def write_outcar(system: System, path: Path, unconverged: tuple[int, ...] = ()) -> Path:
    """The lines of a VASP OUTCAR that hold labels; VASP's "in kB" is positive under compression."""
    elements = [e for e in system.type_map if e in system.symbols]
    lines = [f"   TITEL  = PAW_PBE {e} 05Jan2001" for e in elements]
    lines += [f"   ions per type =  {' '.join(str(system.symbols.count(e)) for e in elements)}", "   NELM   =     60;"]
    for k in range(system.n_frames):
        kbar = system.virials[k] / system.volumes[k] * 1602.176621
        tensor = (kbar[0, 0], kbar[1, 1], kbar[2, 2], kbar[0, 1], kbar[1, 2], kbar[2, 0])
        lines += [f"----- Iteration {k + 1:6d}({60 if k in unconverged else 9:4d})  -----"]
        lines += ["  FORCE on cell =-STRESS in cart. coord.  units (eV):", *[""] * 13]
        lines += ["  in kB " + " ".join(f"{x:.8f}" for x in tensor)]
        lines += [" VOLUME and BASIS-vectors are now :", *[""] * 4]
        lines += [" " + " ".join(f"{x:13.9f}" for x in (*row, 0, 0, 0)) for row in system.cells[k]]
        lines += [" POSITION                                       TOTAL-FORCE (eV/Angst)", " " + "-" * 80]
        atoms = zip(system.positions[k], system.forces[k], strict=True)
        lines += [" " + " ".join(f"{x:14.9f}" for x in (*p, *f)) for p, f in atoms]
        lines += [" " + "-" * 80, f"  free  energy   TOTEN  =     {system.energies[k]:.8f} eV"]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_vasprun(system: System, path: Path) -> Path:
    """The elements of a vasprun.xml that hold labels."""

    def varray(name, rows):
        inner = "".join(f"<v> {' '.join(f'{x:.10f}' for x in row)} </v>" for row in rows)
        return f'<varray name="{name}">{inner}</varray>'

    atoms = "".join(f"<rc><c>{s}</c><c>{t + 1}</c></rc>" for s, t in zip(system.symbols, system.types, strict=True))
    text = '<modeling><parameters><i name="NELM">60</i></parameters><atominfo>'
    text += f'<atoms>{system.n_atoms}</atoms><types>2</types><array name="atoms"><set>{atoms}</set></array></atominfo>'
    for k in range(system.n_frames):
        direct = system.positions[k] @ np.linalg.inv(system.cells[k])
        kbar = system.virials[k] / system.volumes[k] * 1602.176621
        text += f"<calculation><scstep/><structure><crystal>{varray('basis', system.cells[k])}</crystal>"
        text += f"{varray('positions', direct)}</structure>{varray('forces', system.forces[k])}"
        text += f'{varray("stress", kbar)}<energy><i name="e_fr_energy">{system.energies[k]:.10f}</i></energy>'
        text += "</calculation>"
    path.write_text(text + "</modeling>")
    return path
