"""One line of a plan: which builder, how many, what becomes of the structures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nvnmd.learn.builders.composition import parse_composition
from nvnmd.learn.builders.registry import BUILDERS, check_options
from nvnmd.learn.errors import LearnError

_OWN = ("build", "name", "count", "select", "test")
NESTED = ("start", "below", "above")
"""Options that are builders themselves."""


@dataclass(frozen=True)
class Item:
    """A builder with its options.

    Attributes:
        name: names folders and frames; build: the builder; options: of the builder.
        count: structures or runs to make; 0 leaves the number to the builder.
        select: most frames to label; None for no limit of its own.
        test: its frames are chosen evenly, labeled, and only tested on.
    """

    name: str
    build: str
    count: int = 1
    select: int | None = None
    test: bool = False
    options: dict[str, Any] = field(default_factory=dict)


def parse_items(values: Sequence[Mapping[str, Any]], where: str = "items") -> tuple[Item, ...]:
    """Items of a list of mappings: the keys build, name, count, select and test; all others are the builder's options.

    Raises:
        LearnError: naming the item and the key.
    """
    found: list[Item] = []
    for number, value in enumerate(values, 1):
        try:
            found.append(_item(dict(value)))
        except (LearnError, TypeError, ValueError) as error:
            raise LearnError(f"{where}, item {number}: {error}") from None
    names = [item.name for item in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise LearnError(f"{where}: two items are called {twice.pop()}; give them names of their own")
    return tuple(found)


def _item(value: dict[str, Any]) -> Item:
    if "build" not in value:
        raise LearnError(f"names no builder (build: ...); known: {', '.join(BUILDERS)}")
    build, own = str(value["build"]), {key: value.pop(key) for key in _OWN if key in value}
    check_options(build, value)
    for key in NESTED:
        if key in value:
            nested = dict(value[key])
            check_options(str(nested.pop("build", "")), nested)
    count, select = int(own.get("count", 1)), own.get("select")
    if count < 0 or (select is not None and int(select) < 1):
        raise LearnError("count is a whole number from 0 on, and select one from 1 on")
    name = str(own.get("name", build)).replace(" ", "-")
    return Item(name, build, count, None if select is None else int(select), bool(own.get("test", False)), value)


def for_elements(items: Sequence[Item], elements: Sequence[str], scale: float = 1.0) -> tuple[Item, ...]:
    """Items restricted to some elements, with their counts multiplied; those of other elements alone are left out.

    Lists of compositions and materials keep what is made of the elements; `elements` of free atoms and dimers become
    those at hand. A count or limit stays at least 1.
    """
    found = []
    for item in items:
        options = _restricted(item.options, set(elements))
        if options is None:
            continue
        count = max(1, round(scale * item.count)) if item.count else 0
        select = None if item.select is None else max(1, round(scale * item.select))
        found.append(replace(item, count=count, select=select, options=options))
    return tuple(found)


def _restricted(options: Mapping[str, Any], elements: set[str]) -> dict[str, Any] | None:
    found = dict(options)
    if "elements" in found:
        found["elements"] = [e for e in found["elements"] if e in elements]
    for key in ("composition", "material"):
        if key in found:
            one = isinstance(found[key], str)
            fits = [f for f in ([found[key]] if one else found[key]) if set(parse_composition(f)) <= elements]
            if not fits:
                return None
            found[key] = fits[0] if one else fits
    for key in NESTED:
        if key in found:
            nested = _restricted(found[key], elements)
            if nested is None:
                return None
            found[key] = nested
    return None if found.get("elements") == [] else found


@dataclass(frozen=True)
class Recipe:
    """Iterations of a published data set, as items.

    Attributes:
        name, about, source: what it is and where it was published; iterations: items by name, in order.
    """

    name: str
    about: str
    source: str
    iterations: dict[str, tuple[Item, ...]]


def recipe_names() -> list[str]:
    """Recipes that come with the package."""
    from importlib.resources import files

    return sorted(path.name.removesuffix(".yaml") for path in (files("nvnmd.learn") / "recipes").iterdir())


def read_recipe(name: str) -> Recipe:
    """A recipe by name, or from a YAML file.

    Raises:
        LearnError: there is none of this name, or the file is no recipe.
    """
    from importlib.resources import files

    import yaml

    given = Path(name)
    path = given if given.suffix in (".yaml", ".yml") else files("nvnmd.learn") / "recipes" / f"{name}.yaml"
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        iterations = dict(data["iterations"])
    except FileNotFoundError:
        raise LearnError(f"recipe {name!r} is not known; known: {', '.join(recipe_names())}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise LearnError(f"{name}: cannot be read as a recipe ({error})") from None
    parsed = {str(key): parse_items(items, f"{name}, {key}") for key, items in iterations.items()}
    return Recipe(str(data.get("name", name)), str(data.get("about", "")), str(data.get("source", "")), parsed)
