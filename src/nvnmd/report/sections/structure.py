"""Liquid and amorphous structure: RDFs, coordination, pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from nvnmd.pcm.analysis import PartialRdf, coordination_numbers, mean_difference, partial_rdf
from nvnmd.pcm.render import COLORS, render
from nvnmd.pcm.structures import material
from nvnmd.pcm.trajectory import Snapshot, read_dump
from nvnmd.report.blocks import Block, Figure, Missing, Pictures, Section, Table
from nvnmd.report.plots import INK, SERIES, png_image, styled, subplots, to_svg
from nvnmd.report.references import PHASES, Reference
from nvnmd.report.run import Run
from nvnmd.report.text import fixed

Sampled = dict[str, tuple[PartialRdf, Snapshot]]


def structure(run: Run) -> Section:
    """What the sampled stages look like."""
    section = Section("structure", "Structure")
    sampled = _sample(run)
    section.blocks += [
        Missing(f"a sampled stage of the {phase} phase", "md/*.lammpstrj") for phase in PHASES if phase not in sampled
    ]
    if not sampled:
        return section
    section.blocks += [
        Figure(_plot(sampled, run.references), _caption(sampled, run.references)),
        _coordination(sampled),
    ]
    if run.references:
        section.blocks.append(_agreement(sampled, run.references))
    else:
        section.blocks.append(Missing("reference curves to compare with; give them with", "--reference"))
    section.blocks.append(_pictures(sampled))
    return section


def _sample(run: Run) -> Sampled:
    """RDF and last frame of each phase that a stage was sampled for."""
    found: Sampled = {}
    for stage in run.md["stages"] if run.md else []:
        path = run.path(f"md/{stage['file']}")
        if stage["sample"] and path.exists() and path.stat().st_size:
            elements = material(run.md["material"]).elements if run.md else ()
            last: list[Snapshot] = []

            def keep(frame: Snapshot, last: list[Snapshot] = last) -> Snapshot:
                last[:] = [frame]
                return frame

            rdf = partial_rdf(map(keep, read_dump(path)), elements)
            found[stage["sample"]] = rdf, last[0]
    return found


def _plot(sampled: Sampled, references: list[Reference]) -> str:
    pairs = list(next(iter(sampled.values()))[0].g)
    with styled():
        canvas, axes = subplots(len(sampled), len(pairs), 9.6, 0.5 + 2.7 * len(sampled), sharex=True, sharey="row")
        for row, (phase, (rdf, _)) in zip(axes, sampled.items(), strict=True):
            for number, (axis, pair) in enumerate(zip(row, pairs, strict=True)):
                for style, reference in zip(_LINES, _of_phase(references, phase), strict=False):
                    curve = reference.curve(pair)
                    if curve is not None:
                        axis.plot(*curve, color=INK, linewidth=1.0, linestyle=style, label=reference.label)
                axis.plot(rdf.r, rdf.g[pair], color=SERIES[number], label="integer model")
                axis.axhline(1.0, color=INK, linewidth=0.5, alpha=0.5)
                axis.set(title=f"{pair[0]}–{pair[1]}, {phase}", xlim=(2.0, rdf.edges[-1]))
            row[0].set_ylabel("g(r)")
            row[0].set_ylim(bottom=0)
        for axis in axes[-1]:
            axis.set_xlabel("r (Å)")
        return to_svg(canvas, "Partial radial distribution functions")


_LINES = ((0, (4, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))


def _of_phase(references: list[Reference], phase: str) -> list[Reference]:
    return [reference for reference in references if reference.phase == phase]


def _caption(sampled: Sampled, references: list[Reference]) -> str:
    text = "Partial radial distribution functions, colored lines: "
    text += "; ".join(f"{phase}, {rdf.frames} frames of {rdf.atoms} atoms" for phase, (rdf, _) in sampled.items())
    names = ("dashed", "dotted", "dash-dotted")
    for phase in sampled:
        for name, reference in zip(names, _of_phase(references, phase), strict=False):
            text += f"; {phase}, {name}: {reference.label}"
    return f"{text}."


def _coordination(sampled: Sampled) -> Table:
    rows = [
        [phase, found.center, found.neighbor, fixed(found.number), fixed(found.cutoff_A)]
        for phase, (rdf, _) in sampled.items()
        for found in coordination_numbers(rdf)
    ]
    columns = ["Phase", "Center", "Neighbor", "Coordination number", "First minimum of g(r)|Å"]
    return Table(columns, rows, "Neighbors up to the first minimum of each partial RDF", text_columns=(0, 1, 2))


def _agreement(sampled: Sampled, references: list[Reference]) -> Table:
    rows = []
    for reference in references:
        if reference.phase not in sampled:
            continue
        rdf = sampled[reference.phase][0]
        curves = {pair: reference.curve(pair) for pair in rdf.g}
        numbers = [
            fixed(mean_difference(rdf.r, g, *curve), 3) if (curve := curves[pair]) else "–" for pair, g in rdf.g.items()
        ]
        rows.append([reference.phase, reference.label, *numbers])
    pairs = list(next(iter(sampled.values()))[0].g)
    columns = ["Phase", "Reference", *(f"{a}–{b}" for a, b in pairs)]
    return Table(columns, rows, "Mean |Δg| from 2 to 8 Å against the reference curves", text_columns=(0, 1))


def _pictures(sampled: Sampled) -> Block:
    figures = []
    for phase, (rdf, snapshot) in sampled.items():
        bond = next((c.cutoff_A for c in coordination_numbers(rdf) if c.center != c.neighbor), 3.2)
        bond = float(np.clip(bond, 2.8, 3.3))
        names = ", ".join(f"{element} {_color_name(element)}" for element in dict.fromkeys(snapshot.symbols.tolist()))
        caption = f"{phase.capitalize()}, step {snapshot.step}: {names}; bonds up to {bond:.2f} Å."
        figures.append(Figure(png_image(render(snapshot, bond_A=bond, size_px=760), caption), caption))
    return Pictures(figures)


def _color_name(element: str) -> str:
    names: dict[str, Any] = {
        "#3a7ca5": "blue",
        "#e0992f": "orange",
        "#7d5ba6": "purple",
        "#b5543c": "red",
        "#4f9d69": "green",
    }
    return str(names.get(COLORS.get(element, ""), "gray"))
