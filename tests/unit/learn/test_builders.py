"""Structures by name: what they promise, and that a seed decides every digit."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from nvnmd.learn.builders import BUILDERS, build
from nvnmd.learn.builders.composition import apportion, parse_composition
from nvnmd.learn.builders.packings import pair_distances
from nvnmd.learn.errors import LearnError
from nvnmd.learn.items import for_elements, parse_items, read_recipe, recipe_names
from nvnmd.pcm.protocol import MdSettings
from nvnmd.training.frames import load_systems

START = {"build": "rocksalt", "composition": "GeTe"}
OPTIONS = {
    "atom": {"elements": ["Ge", "Te"]},
    "dimer": {"elements": ["Ge", "Te"]},
    "crystal": {"material": "GeTe", "form": "rhombohedral", "strain": 0.01, "displace_A": 0.1, "antisites": 0.1},
    "rocksalt": {"composition": "Ge2Sb2Te5", "displace_A": 0.1},
    "random": {"composition": ["GeTe", "Sb2Te3"], "atoms": [6, 12]},
    "rss": {"composition": "GeTe", "atoms": 8},
    "melt-quench": {"start": START},
    "crystallize": {"start": START},
    "heat": {"start": START},
    "hold": {"start": START},
}


def numbers(found: object) -> np.ndarray:
    atoms = found if isinstance(found, Atoms) else found.start  # type: ignore[attr-defined]
    return np.concatenate([atoms.cell.array.ravel(), atoms.positions.ravel(), atoms.numbers])


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_a_seed_decides_every_digit(name: str) -> None:
    first, again, other = (build(name, 3, seed, **OPTIONS[name]) for seed in (5, 5, 6))
    assert len(first) == 3
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(numbers(a), numbers(b))
        if BUILDERS[name].kind == "md":
            assert a.settings == b.settings
    if name not in ("atom", "heat", "hold", "crystallize", "melt-quench"):
        assert any(not np.array_equal(numbers(a), numbers(b)) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("name", [name for name in sorted(OPTIONS) if BUILDERS[name].kind == "md"])
def test_runs_are_ones_that_lammps_is_given(name: str) -> None:
    for plan in build(name, 2, 1, **OPTIONS[name]):
        given = {"start": "file", "start_file": "x", "elements": ["Ge", "Te"]}
        settings = MdSettings.model_validate(given | plan.settings)
        assert settings.plan()[-1].last_step > 1000
    seeds = [plan.settings["seed"] for plan in build(name, 3, 1, **OPTIONS[name])]
    assert len(set(seeds)) == 3


def distances(atoms: Atoms) -> np.ndarray:
    """[n, n] shortest distance over all images, the atom itself left out."""
    shifts = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3, indexing="ij"), -1).reshape(-1, 3) @ atoms.cell.array
    gaps = atoms.positions[:, None, None] - atoms.positions[None, :, None] + shifts
    found = np.linalg.norm(gaps, axis=3)
    return np.where(found < 1e-9, np.inf, found).min(axis=2)


def test_hard_spheres_keep_their_distances_in_whatever_cell() -> None:
    given = {"Ge-Te": 2.5, "Te-Te": 3.0}
    for atoms in build("random", 8, 2, composition=["GeTe", "Ge2Te"], atoms=[2, 14], min_distance_A=given):
        least = pair_distances(atoms.get_chemical_symbols(), given)
        assert (distances(atoms) >= least - 1e-9).all()
    symbols = ["Ge", "Te"]
    assert pair_distances(symbols, given)[0, 0] == pytest.approx(0.85 * 2 * 1.20)
    assert pair_distances(symbols, None)[0, 1] == pytest.approx(0.85 * (1.20 + 1.38))


def test_hard_spheres_have_the_composition_and_volume_asked_for() -> None:
    found = build("random", 6, 2, composition=["Ge2Sb2Te5", "Te"], atoms=18, volume_A3=[30, 34], cubic=True)
    for k, atoms in enumerate(found):
        assert Counter(atoms.get_chemical_symbols()) == ({"Ge": 4, "Sb": 4, "Te": 10} if k % 2 == 0 else {"Te": 18})
        assert 30 <= atoms.get_volume() / 18 <= 34
        np.testing.assert_allclose(atoms.cell.angles(), 90.0)
    with pytest.raises(LearnError, match="18 spheres do not fit at 8 to 8"):
        build("random", 1, 2, composition="Te", atoms=18, volume_A3=[8, 8])
    with pytest.raises(LearnError, match=r"below 0\.6 A"):
        build("random", 1, 2, composition="Te", min_distance_A=0.3)
    with pytest.raises(LearnError, match="'GeTe' is no pair"):
        build("random", 1, 2, composition="GeTe", min_distance_A={"GeTe": 2.4})


@pytest.mark.parametrize(
    ("composition", "cations"), [("GeTe", 32), ("Sb2Te3", 21), ("Ge2Sb2Te5", 26), ("Ge8Sb2Te11", 29), ("GeSb4Te7", 23)]
)
def test_rocksalt_has_vacancies_where_cations_are_missing(composition: str, cations: int) -> None:
    (atoms,) = build("rocksalt", 1, 3, composition=composition, repeats=[2, 2, 2], edge_A=6.0)
    counts = Counter(atoms.get_chemical_symbols())
    assert counts["Te"] == 32
    assert len(atoms) - 32 == cations
    sites = atoms.positions / 3.0
    np.testing.assert_allclose(sites, np.round(sites), atol=1e-12)
    odd = np.round(sites).sum(axis=1).astype(int) % 2 == 1
    assert odd.tolist() == [symbol == "Te" for symbol in atoms.get_chemical_symbols()]


def test_compositions_and_edges_are_taken_in_turn() -> None:
    found = build("rocksalt", 4, 1, composition=["GeTe", "Sb2Te3"], edge_A=[5.9, 6.1])
    formulas = [("Sb" in atoms.symbols, round(atoms.cell[0, 0] / 2, 1)) for atoms in found]
    assert formulas == [(False, 5.9), (True, 5.9), (False, 6.1), (True, 6.1)]


def test_cations_of_rocksalt_are_dealt_anew() -> None:
    first, second = build("rocksalt", 2, 3, composition="Ge2Sb2Te5")
    assert first.get_chemical_symbols() != second.get_chemical_symbols() or not np.array_equal(
        first.positions, second.positions
    )


def test_distortions_are_as_large_as_asked() -> None:
    ideal = build("crystal", 1, 1, material="GeTe", form="rhombohedral")[0]
    assert len(ideal) / ideal.get_volume() == pytest.approx(0.0372, rel=1e-6)
    moved = build("crystal", 40, 1, material="GeTe", form="rhombohedral", displace_A=0.1)
    steps = np.concatenate([(atoms.positions - ideal.positions).ravel() for atoms in moved])
    assert steps.std() == pytest.approx(0.1, rel=0.05)
    scaled = build("crystal", 40, 1, material="GeTe", form="rhombohedral", scale=[0.95, 1.05])
    factors = np.array([atoms.cell.lengths()[0] / ideal.cell.lengths()[0] for atoms in scaled])
    assert 0.95 <= factors.min() < 0.965
    assert 1.035 < factors.max() <= 1.05
    strained = build("crystal", 60, 1, material="GeTe", form="rhombohedral", strain=0.02)
    tensors = np.array([np.linalg.solve(ideal.cell.array, atoms.cell.array) - np.eye(3) for atoms in strained])
    np.testing.assert_allclose(tensors, np.swapaxes(tensors, 1, 2), atol=1e-12)
    spread = tensors.std(axis=0)
    np.testing.assert_allclose(spread, 0.02, rtol=0.35)


def test_antisites_swap_so_many() -> None:
    (atoms,) = build("rocksalt", 1, 1, composition="GeTe", repeats=[2, 2, 2], antisites=0.25)
    odd = np.round(atoms.positions / 3.01).sum(axis=1).astype(int) % 2 == 1
    wrong = sum((symbol == "Te") != flag for symbol, flag in zip(atoms.get_chemical_symbols(), odd, strict=True))
    assert wrong == 2 * 8
    with pytest.raises(LearnError, match="anti-site defects need cations and anions"):
        build("crystal", 1, 1, material="Sb", form="a7", antisites=0.1)


def test_dimers_are_the_published_scan() -> None:
    found = build("dimer", 0, 1, elements=["Ge", "Sb", "Te"])
    assert len(found) == 6 * 36
    lengths = sorted({round(atoms.get_distance(0, 1), 3) for atoms in found})
    assert (lengths[0], lengths[1], lengths[-1]) == (1.0, 1.1, 7.0)
    assert len(build("dimer", 10, 1, elements=["Ge", "Sb", "Te"])) == 10
    with pytest.raises(LearnError, match="first, last and step"):
        build("dimer", 0, 1, elements=["Ge"], distances_A=[[1.0, 2.0]])


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("melt-quensh", {}, "did you mean 'melt-quench'"),
        ("random", {"composition": "GeTe", "atom": 3}, "no option 'atom'; did you mean 'atoms'"),
        ("random", {}, "needs the option 'composition'"),
        ("rocksalt", {"composition": "Te"}, "needs anions and no more cations"),
        ("rocksalt", {"composition": "geTe"}, "give a formula"),
        ("rocksalt", {"composition": "GeTe", "repeats": [2, 2]}, "three whole numbers"),
        ("melt-quench", {"start": {}}, "start: names no builder"),
        ("melt-quench", {"start": {"build": "heat", "start": START}}, "give one that builds structures"),
        ("file", {"path": "nowhere.xyz"}, "ASE cannot read it"),
    ],
)
def test_what_cannot_be_built_says_why(name: str, options: dict, said: str) -> None:
    with pytest.raises(LearnError, match=said):
        build(name, 1, 1, **options)


def test_labeled_frames_are_structures_for_another_labeler() -> None:
    folder = Path(__file__).parents[3] / "data" / "sb-cp2k"
    frames = load_systems(folder / "validation", ["Sb"])
    found = build("file", 3, 1, path=str(folder / "validation"))
    assert [len(atoms) for atoms in found] == [s.n_atoms for s in frames for _ in range(s.n_frames)]
    assert np.array_equal(found[0].positions, frames[0].positions[0])
    assert found[0].calc is None
    few = build("file", 2, 1, path=str(folder / "validation"))
    assert [len(atoms) for atoms in few] == [len(found[0]), len(found[2])]
    assert len(build("file", 5, 1, path=str(folder / "validation"))) == 5


def test_apportioned_atoms_are_whole_and_all_there() -> None:
    assert Counter(apportion(parse_composition("Ge2Sb2Te5"), 10)) == {"Ge": 2, "Sb": 2, "Te": 6}
    for total in range(1, 40):
        assert len(apportion(parse_composition("Ge0.4Sb0.1Te0.5"), total)) == total


@pytest.mark.parametrize("name", recipe_names())
def test_recipes_build(name: str) -> None:
    recipe = read_recipe(name)
    assert list(recipe.iterations) == [f"iter-{k}" for k in range(6)]
    for items in recipe.iterations.values():
        for item in for_elements(items, ["Ge", "Sb", "Te"], 0.002):
            for found in build(item.build, item.count, 1, **item.options)[:4]:
                assert np.isfinite(numbers(found)).all()


def test_numbers_of_the_recipes_are_the_published_ones() -> None:
    gap, ace = read_recipe("gst-gap-22"), read_recipe("gst-ace-24")
    assert sum(item.count for item in gap.iterations["iter-0"] if "crystal" in item.name) == 1261
    assert [item.select for item in gap.iterations["iter-4"]] == [84, 84, 56]
    assert [item.select for item in gap.iterations["iter-1"]] == [112]
    assert [item.select or item.count for item in ace.iterations["iter-1"]] == [196, 84, 84, 120]
    assert [item.select for item in ace.iterations["iter-5"]] == [300]


def test_recipes_keep_to_the_elements_at_hand() -> None:
    items = for_elements(read_recipe("gst-gap-22").iterations["iter-0"], ["Ge", "Te"], 0.1)
    names = [item.name for item in items]
    assert "crystal-sb" not in names
    assert "crystal-gete" in names
    assert next(item for item in items if item.name == "dimers").options["elements"] == ["Ge", "Te"]
    assert next(item for item in items if item.name == "crystal-rocksalt").options["composition"] == ["GeTe"]
    assert next(item for item in items if item.name == "crystal-rocksalt").count == 42


def test_items_name_what_is_wrong_with_them() -> None:
    with pytest.raises(LearnError, match="explore, item 2: builder 'rocksald' is not known"):
        parse_items([{"build": "random", "composition": "Te"}, {"build": "rocksald"}], "explore")
    with pytest.raises(LearnError, match="two items are called random"):
        parse_items([{"build": "random", "composition": "Te"}] * 2)
    with pytest.raises(LearnError, match="recipe 'gst' is not known; known: gst-ace-24, gst-gap-22"):
        read_recipe("gst")
