"""`nvnmd probe`: dimers of every pair, lattices and equations of state of crystals."""

from __future__ import annotations

import itertools
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nvnmd.training.errors import NvnmdError

if TYPE_CHECKING:
    from ase import Atoms

    from nvnmd.training.probes import Crystal, Dimer

log = logging.getLogger("nvnmd.probe")

FORMS = ("a7", "rhombohedral", "trigonal")
STRAINS = (-0.03, -0.02, -0.01, 0.0, 0.01, 0.02, 0.03)


def probe(
    model: Annotated[Path, typer.Argument(help="Integer model (*.nvnmd) or float model (*.safetensors).")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for probe.json and probe.png.")] = None,
    crystal: Annotated[
        list[str] | None,
        typer.Option("--crystal", help="MATERIAL:FORM or a file that ASE reads, instead of all known; repeatable."),
    ] = None,
    crystals: Annotated[bool, typer.Option("--crystals/--no-crystals", help="Without: only dimers.")] = True,
    shortest: Annotated[float, typer.Option(help="Shortest distance of the dimer scans, A.", min=0.1)] = 0.8,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Look at physics that no test set shows: two atoms alone, and crystals under pressure.

    Dimers: energy against distance for every pair of elements, with the well, the distance at which the energy begins
    to fall as atoms come closer still, and the wall that keeps them from getting there. The short-range guard should
    leave no such distance.

    Crystals: relaxed lattice beside the one it started from, and volume and bulk modulus of an equation of state (Birch
    and Murnaghan, 3 % to both sides, atoms relaxed). By default every ordered crystal known for the model's elements:
    Sb:a7, GeTe:rhombohedral, Sb2Te3:trigonal, GeSb2Te4:trigonal, Ge2Sb2Te5:trigonal.

    Examples:

        nvnmd probe run/model.safetensors -o run/probe

        nvnmd probe model.nvnmd --crystal GeTe:rhombohedral --crystal my.cif

        nvnmd probe model.nvnmd --no-crystals --json
    """
    import numpy as np

    from nvnmd.training.probes import dimer

    calculator, type_map, cutoff, refuses = load_calculator(model)
    grid = np.arange(shortest, cutoff + 0.025, 0.025)
    pairs = itertools.combinations_with_replacement(type_map, 2)
    dimers = [dimer(calculator, pair, grid, cutoff, refuses) for pair in pairs]
    found = _crystals(crystal, type_map, calculator) if crystals else {}
    result = {"model": model.name, "dimers": [_dimer_json(d) for d in dimers], "crystals": _crystals_json(found)}
    if output is not None:
        _write(output, result, dimers, found)
    if as_json:
        typer.echo(json.dumps(result, indent=2))
    else:
        _show(result)


def load_calculator(path: Path) -> tuple[Any, tuple[str, ...], float, tuple[type[Exception], ...]]:
    """ASE calculator of a float or integer model, its elements, its cutoff (A), and errors of atoms too close.

    Raises:
        NvnmdError, nvnmd.host.Error: the file cannot be read.
    """
    from nvnmd.training.neighbors import GeometryError

    if path.suffix == ".nvnmd":
        from nvnmd.host import Error, NvnmdCalculator

        integer = NvnmdCalculator(path)
        return integer, integer.potential.type_map, integer.potential.cutoff_A, (Error,)
    from nvnmd.training.ase_calculator import DeepPotCalculator

    shape = (calculator := DeepPotCalculator(path)).model.shape
    return calculator, shape.type_map, shape.rcut, (GeometryError,)


def _crystals(chosen: list[str] | None, type_map: tuple[str, ...], calculator: Any) -> dict[str, Crystal | str]:
    """Results by name; a sentence instead where a crystal does not hold."""
    from nvnmd.training.probes import ProbeError
    from nvnmd.training.probes import crystal as probe_crystal

    found: dict[str, Crystal | str] = {}
    for name, atoms in _structures(chosen, type_map).items():
        log.info("relaxing %s, %d atoms", name, len(atoms))
        try:
            found[name] = probe_crystal(atoms, calculator, STRAINS)
        except ProbeError as error:
            found[name] = str(error)
    return found


def _structures(chosen: list[str] | None, type_map: tuple[str, ...]) -> dict[str, Atoms]:
    from ase.io import read

    from nvnmd.pcm.structures.crystal import crystal as build
    from nvnmd.pcm.structures.materials import MATERIALS

    if chosen is None:
        known = {name: value for name, value in MATERIALS.items() if set(value.elements) <= set(type_map)}
        return {f"{name}:{form}": atoms for name in known for form in FORMS if (atoms := _ordered(name, form))}
    structures = {}
    for text in chosen:
        name, colon, form = text.partition(":")
        if colon and name in MATERIALS:
            structures[text] = build(name, form=form, repeats=(1, 1, 1))  # type: ignore[arg-type]
        else:
            try:
                structures[text] = read(text)
            except Exception as error:  # ASE raises many kinds
                raise NvnmdError(
                    f"--crystal {text}: neither MATERIAL:FORM nor a file that ASE reads ({error})"
                ) from None
        if unknown := sorted(set(structures[text].get_chemical_symbols()) - set(type_map)):
            raise NvnmdError(f"--crystal {text} holds {', '.join(unknown)}, which the model does not know")
    return structures


def _ordered(name: str, form: Any) -> Atoms | None:
    from nvnmd.pcm.errors import PcmError
    from nvnmd.pcm.structures.crystal import crystal as build

    try:
        return build(name, form=form, repeats=(1, 1, 1))
    except PcmError:
        return None


def _dimer_json(d: Dimer) -> dict[str, Any]:
    energies = [None if e != e else round(e, 6) for e in d.energies.tolist()]
    well, depth = d.well
    return {
        "pair": "-".join(d.pair),
        "well_A": well,
        "well_eV": depth,
        "wall_eV": d.wall,
        "attractive_inside_A": d.attractive_inside,
        "refused_below_A": next(
            (r for r, e in zip(d.distances.tolist(), energies, strict=True) if e is not None), None
        ),
        "distances_A": [round(r, 6) for r in d.distances.tolist()],
        "energies_eV": energies,
    }


def _crystals_json(found: dict[str, Crystal | str]) -> dict[str, Any]:
    from dataclasses import asdict

    import numpy as np

    def plain(value: Any) -> Any:
        return value.tolist() if isinstance(value, np.ndarray) else value

    return {
        name: {"problem": c} if isinstance(c, str) else {key: plain(value) for key, value in asdict(c).items()}
        for name, c in found.items()
    }


def _write(folder: Path, result: dict[str, Any], dimers: list[Dimer], found: dict[str, Crystal | str]) -> None:
    import io

    from matplotlib.figure import Figure

    from nvnmd.training.model_file import write_atomically, write_json

    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "probe.json", result)
    held = {name: c for name, c in found.items() if not isinstance(c, str)}
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for d in dimers:
        left.plot(d.distances, d.energies, label="-".join(d.pair))
    left.set(xlabel="distance (Å)", ylabel="energy (eV)", title="two atoms alone", ylim=(-6, 12))
    left.legend()
    for name, c in held.items():
        right.plot(
            c.volumes / c.volume, 1000 * (c.energies - c.energy), "o-", label=f"{name}, {c.bulk_modulus:.0f} GPa"
        )
    right.set(xlabel="volume / equilibrium volume", ylabel="energy (meV/atom)", title="equations of state")
    if held:
        right.legend()
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=150)
    write_atomically(folder / "probe.png", picture.getvalue())


def _show(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if Console().is_terminal else 140)
    table = Table(title=f"{result['model']}: two atoms alone")
    for column in ("pair", "well (A)", "(eV)", "wall (eV)", "falls again below (A)", "refused below (A)"):
        table.add_column(column, justify="right")
    for d in result["dimers"]:
        inside, refused = d["attractive_inside_A"], d["refused_below_A"]
        refused = None if refused == d["distances_A"][0] else refused
        shown = (f"{d['well_A']:.2f}", f"{d['well_eV']:.2f}", f"{d['wall_eV']:.1f}")
        table.add_row(d["pair"], *shown, *("never" if r is None else f"{r:.2f}" for r in (inside, refused)))
    console.print(table)
    if not result["crystals"]:
        return
    table = Table(title="crystals; volume per atom, start in parentheses")
    for column in ("crystal", "a (A)", "b (A)", "c (A)", "alpha", "beta", "gamma", "V (A^3)", "B (GPa)"):
        table.add_column(column, justify="right")
    for name, c in result["crystals"].items():
        if "problem" in c:
            console.print(f"{name}: {c['problem']}", style="yellow")
            continue
        lattice = [f"{now:.3f} ({before:.3f})" for now, before in zip(c["relaxed"], c["start"], strict=True)]
        mark = "" if c["converged"] else " (not converged)"
        table.add_row(name + mark, *lattice, f"{c['volume']:.2f}", f"{c['bulk_modulus']:.1f}")
    console.print(table)
