"""Energy shifts: exact where compositions determine them, of minimum norm and noted where they do not."""

import frame_writers as w
import numpy as np
import pytest

from nvnmd.training.shifts import ShiftError, fit_energy_shifts

TRUE = np.array([-107.25, -222.5])


def system(counts, dataset="a", shifts=TRUE, extra=0.0, n_frames=3, **changes):
    """6 atoms of 2 elements with energies that are sums of shifts."""
    types = np.repeat([0, 1], counts)
    energies = np.full(n_frames, shifts[types].sum()) + extra
    return w.small_system(n_frames, types=types, energies=energies, dataset=dataset, **changes)


def test_exact_where_determined():
    shifts = fit_energy_shifts([system((2, 4)), system((3, 3))])
    np.testing.assert_allclose(shifts.values["a"], TRUE, rtol=1e-12)
    assert shifts.notes == ()


def test_least_squares_weighs_frames():
    """Against the normal equations."""
    sets = [
        system((2, 4), extra=0.3, n_frames=1),
        system((3, 3), extra=np.array([0.0, 0.6]), n_frames=2),
        system((5, 1), extra=-0.2),
    ]
    found = fit_energy_shifts(sets).values["a"]
    matrix = np.array([[2, 4], [3, 3], [3, 3], [5, 1], [5, 1], [5, 1]]) / 6
    energies = np.concatenate([s.energies for s in sets]) / 6
    np.testing.assert_allclose(found, np.linalg.solve(matrix.T @ matrix, matrix.T @ energies), rtol=1e-10)


def test_sets_with_other_references_train_together():
    """What remains after the shifts is the same in both sets, though their zeros differ by hundreds of eV."""
    extra = np.array([0.1, -0.1])
    sets = []
    for dataset, shifts in (("a", TRUE), ("b", np.array([-4.0, -3.5]))):
        sets += [system(c, dataset, shifts, extra, n_frames=2) for c in ((2, 4), (3, 3))]
    fitted = fit_energy_shifts(sets)
    left = [s.energies - fitted.of(s)[s.types].sum() for s in sets]
    for values in left:
        np.testing.assert_allclose(values, extra, atol=1e-9)


def test_degenerate_composition_takes_the_minimum_norm():
    shifts = fit_energy_shifts([system((3, 3))])
    np.testing.assert_allclose(shifts.values["a"], [TRUE.mean(), TRUE.mean()], rtol=1e-12)
    (note,) = shifts.notes
    assert "a: its compositions leave 1 of the energy shifts of Ge, Te open" in note


def test_absent_element_gets_no_shift():
    only_ge = system((6, 0))
    shifts = fit_energy_shifts([only_ge])
    np.testing.assert_allclose(shifts.values["a"], [TRUE[0], 0.0], rtol=1e-12)
    assert shifts.notes == ()
    with pytest.raises(ShiftError, match="no energy shift for Te"):
        shifts.of(system((3, 3)))


def test_model_takes_missing_elements_from_the_next_set():
    other = np.array([-4.0, -3.5])
    shifts = fit_energy_shifts([system((6, 0), "a"), system((2, 4), "b", other), system((3, 3), "b", other)])
    np.testing.assert_allclose(shifts.of_model(), [TRUE[0], other[1]], rtol=1e-12)


def test_unknown_dataset():
    with pytest.raises(ShiftError, match="no energy shifts for its data set 'b'; known are a"):
        fit_energy_shifts([system((3, 3))]).of(system((3, 3), "b"))


def test_refuses_nothing_and_different_type_maps():
    with pytest.raises(ShiftError, match="no systems"):
        fit_energy_shifts([])
    with pytest.raises(ShiftError, match="type map"):
        fit_energy_shifts([system((3, 3)), system((3, 3), type_map=("Te", "Ge"))])


def test_float64_keeps_small_differences_of_large_energies():
    """10 micro-eV per cell out of 10^5 eV survive the fit."""
    sets = [system((2, 4), shifts=1e2 * TRUE, extra=np.array([1e-5, -1e-5]), n_frames=2)]
    shifts = fit_energy_shifts(sets)
    np.testing.assert_allclose(sets[0].energies - shifts.of(sets[0])[sets[0].types].sum(), [1e-5, -1e-5], atol=1e-9)


def test_two_references_in_one_set_are_noticed(caplog):
    apart = [system((3, 3), name="low"), system((3, 3), extra=6 * 4.0, name="high")]
    (_, note) = fit_energy_shifts(apart).notes
    assert "low and high lie 4.00 eV/atom apart" in note
    assert "reference.raw" in caplog.text


def test_unlike_structures_of_one_teacher_are_no_two_references():
    apart = [
        system((3, 3), name=name, extra=extra, label="teacher:x") for name, extra in (("low", -12.0), ("high", 12.0))
    ]
    (note,) = fit_energy_shifts(apart).notes
    assert "its compositions leave 1 of the energy shifts" in note
