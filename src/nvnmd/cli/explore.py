"""`nvnmd explore`: structures by the names of their builders, and the iterations of published recipes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvnmd.learn.items import Item


def explore(
    builder: Annotated[str | None, typer.Argument(help="Name of a builder; none lists them.")] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write (extended XYZ), or a folder for runs and recipes.")
    ] = Path("structures.extxyz"),
    count: Annotated[int, typer.Option("--count", "-c", help="How many; 0 leaves it to the builder.", min=0)] = 1,
    option: Annotated[
        list[str] | None, typer.Option("--set", help="An option of the builder as KEY=VALUE; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.", min=0)] = 1,
    recipe: Annotated[str | None, typer.Option(help="A recipe by name, or a YAML file, instead of a builder.")] = None,
    iteration: Annotated[str, typer.Option(help="Which iteration of the recipe.")] = "iter-0",
    elements: Annotated[
        list[str] | None, typer.Option("--element", help="Keep to these elements of a recipe; repeatable.")
    ] = None,
    scale: Annotated[float, typer.Option(help="Factor of the counts of a recipe.", min=1e-6)] = 1.0,
    model: Annotated[
        Path | None, typer.Option("--model", "-m", help="Integer model that runs or relaxes what asks for it.")
    ] = None,
) -> None:
    """Build structures by name; the same seed gives the same structures.

    Without arguments it lists the builders with their options, and the recipes. Builders of molecular dynamics need a
    model: their runs go into a folder, and all frames they store are written as one file in it.

    Examples:

        nvnmd explore

        nvnmd explore random -c 20 --set composition=Ge2Sb2Te5 --set 'atoms=[6, 40]' -o random.extxyz

        nvnmd explore rocksalt --set composition=GeSb2Te4 --set 'repeats=[2, 2, 2]' --set antisites=0.05

        nvnmd explore melt-quench --set 'start={build: rocksalt, composition: GeTe}' -m model.nvnmd -o mq

        nvnmd explore --recipe gst-gap-22 --iteration iter-0 --scale 0.1 -o iter-0
    """
    from nvnmd.cli.values import key_values
    from nvnmd.learn.errors import LearnError
    from nvnmd.learn.items import for_elements, parse_items, read_recipe

    if builder is None and recipe is None:
        _list()
        return
    if builder is not None and recipe is not None:
        raise LearnError("give a builder or --recipe, not both")
    if builder is not None:
        items = parse_items([{"build": builder, "count": count, **key_values(option, "composition=GeTe")}], "--set")
        _write(items, output, seed, model, None)
        return
    found = read_recipe(str(recipe))
    if iteration not in found.iterations:
        raise LearnError(f"{recipe} has no iteration {iteration!r}; it has {', '.join(found.iterations)}")
    items = found.iterations[iteration]
    known = list(dict.fromkeys(elements or _elements_of(items)))
    output.mkdir(parents=True, exist_ok=True)
    _write(for_elements(items, known, scale), output, seed, model, known)


def _list() -> None:
    import inspect

    from nvnmd.learn.builders import BUILDERS
    from nvnmd.learn.items import read_recipe, recipe_names

    for name, builder in BUILDERS.items():
        typer.echo(f"{name}: {builder.summary}")
        for key, default in builder.options.items():
            typer.echo(f"    {key}{'' if default is inspect.Parameter.empty else f' = {default}'}")
    for name in recipe_names():
        recipe = read_recipe(name)
        typer.echo(f"--recipe {name}: {recipe.about} ({recipe.source})")
        typer.echo(f"    iterations: {', '.join(recipe.iterations)}")


def _elements_of(items: Sequence[Item]) -> list[str]:
    """Every element that compositions, materials and lists of the items name."""
    return [element for item in items for element in _named(item.options)]


def _named(options: Mapping[str, Any]) -> list[str]:
    from nvnmd.learn.builders.composition import parse_composition
    from nvnmd.learn.items import NESTED

    formulas = options.get("composition", options.get("material", []))
    found = list(options.get("elements", []))
    found += [e for f in ([formulas] if isinstance(formulas, str) else formulas) for e in parse_composition(f)]
    return found + [element for key in NESTED if key in options for element in _named(options[key])]


def _write(items: Sequence[Item], output: Path, seed: int, model: Path | None, elements: list[str] | None) -> None:
    """Build items, run what is to be run, and write one file for each."""
    from ase.io import write

    from nvnmd.learn.builders import BUILDERS
    from nvnmd.learn.errors import LearnError
    from nvnmd.learn.explore import Explorer

    for item in items:
        running = BUILDERS[item.build].kind != "structures"
        if running and model is None:
            raise LearnError(f"{item.name} is run or relaxed by a model; give an integer model with --model")
        folder = output if elements is not None or running else output.parent
        type_map = _type_map(model) if model is not None else tuple(elements or ())
        explorer = Explorer((item,), model or Path(), type_map, folder / "runs", seed)
        folder.mkdir(parents=True, exist_ok=True)
        for outcome in explorer.run(lambda text: typer.echo(text, err=True)):
            if outcome["status"] != "complete":
                typer.echo(f"run {outcome['run']} of {item.name} broke down: {outcome['reason']}", err=True)
        frames = explorer.frames(item)
        target = folder / f"{item.name}.extxyz" if folder == output else output
        temporary = target.with_name(f".{target.name}")
        write(temporary, [_described(frame.atoms, frame.origin) for frame in frames], format="extxyz")
        temporary.replace(target)
        typer.echo(f"{target}: {len(frames)} structures")


def _type_map(model: Path) -> tuple[str, ...]:
    from nvnmd.host import Potential

    return tuple(Potential(model, threads=1).type_map)


def _described(atoms: Any, origin: dict[str, Any]) -> Any:
    found = atoms.copy()
    found.info = dict(origin)
    return found
