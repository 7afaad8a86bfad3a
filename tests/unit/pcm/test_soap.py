"""SOAP crystallinity: 1 in the reference, less with noise, and the kernel written out."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nvnmd.pcm.analysis import SoapCrystallinity, SoapSettings
from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.trajectory import Snapshot

pytest.importorskip("dscribe", reason="SOAP is computed by dscribe, part of nvnmd[pcm]")

SMALL = SoapSettings(n_max=4, l_max=3)


def test_the_reference_itself_has_one_and_disorder_less(lattice, gas):
    reference = lattice("rocksalt", 2, 6.0, ("Ge", "Te"))
    measure = SoapCrystallinity([reference], SMALL)
    assert_allclose(measure(reference), 1, atol=1e-6)
    warm, hot = (measure(lattice("rocksalt", 2, 6.0, ("Ge", "Te"), noise=s)).mean() for s in (0.1, 0.3))
    assert 1 > warm > hot > measure(gas(64, 12.0)).mean()


def test_antimony_stands_for_germanium_and_tellurium_does_not(lattice):
    reference = lattice("rocksalt", 2, 6.0, ("Ge", "Te"))
    measure = SoapCrystallinity([reference], SMALL)
    assert_allclose(measure(lattice("rocksalt", 2, 6.0, ("Sb", "Te"))), 1, atol=1e-6)
    swapped = Snapshot(reference.positions, reference.cell, reference.symbols.copy())
    swapped.symbols[[0, 4]] = swapped.symbols[[4, 0]]
    assert (measure(swapped) < 0.999).any()


def test_kernel_written_out(lattice):
    from ase import Atoms
    from dscribe.descriptors import SOAP

    reference = lattice("rocksalt", 2, 6.0, ("Ge", "Te"), noise=0.2)
    frame = lattice("rocksalt", 2, 6.0, ("Ge", "Te"), noise=0.3, seed=1)
    soap = SOAP(species=["Ge", "Te"], r_cut=5.5, n_max=4, l_max=3, sigma=0.5, periodic=True)
    spectra = [soap.create(Atoms(f.symbols.tolist(), f.positions, cell=f.cell, pbc=True)) for f in (reference, frame)]
    for atom in (0, 5):
        same = reference.symbols == frame.symbols[atom]
        p, r = spectra[1][atom], spectra[0][same]
        expected = np.mean([(p @ x / np.linalg.norm(p) / np.linalg.norm(x)) ** 4 for x in r])
        assert_allclose(SoapCrystallinity([reference], SMALL)(frame)[atom], expected, rtol=1e-6)


def test_without_a_reference_or_a_group():
    with pytest.raises(PcmError, match="no reference"):
        SoapCrystallinity([], SMALL)
    cell = np.eye(3) * 9
    only = SoapCrystallinity([Snapshot(np.zeros((1, 3)), cell, np.array(["Te"]))], SMALL)
    with pytest.raises(PcmError, match="kind of Ge"):
        only(Snapshot(np.zeros((1, 3)), cell, np.array(["Sb"])))
