"""The calculator as a force client of the i-PI protocol, through ASE's socket client."""

import threading
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.socketio import SocketClient, SocketIOCalculator

from nvnmd.host import NvnmdCalculator, Potential
from nvnmd.quantize.model_file import save_model


@pytest.fixture
def atoms(frame):
    return Atoms(np.array(["Ge", "Te"])[frame.types], frame.positions, cell=frame.cell, pbc=True)


def test_forces_over_a_socket_are_the_potentials(tmp_path: Path, model, atoms):
    path, name = tmp_path / "model.nvnmd", f"nvnmd-{tmp_path.name}-{np.random.default_rng().integers(1 << 40)}"
    save_model(model, path)

    def serve_forces():
        client_atoms = atoms.copy()
        client_atoms.calc = NvnmdCalculator(path, threads=1)
        SocketClient(unixsocket=name, timeout=60).run(client_atoms, use_stress=True)

    potential, driven = Potential(path, threads=1), atoms.copy()
    with SocketIOCalculator(unixsocket=name, timeout=60) as server:
        server.server  # noqa: B018 - opens the socket before the client asks for it
        client = threading.Thread(target=serve_forces)
        client.start()
        driven.calc = server
        for shift in (0.0, 0.02, -0.01):
            driven.positions[:] = atoms.positions * (1 + shift)
            expected = potential.compute(driven.positions, driven.cell.array, driven.get_chemical_symbols())
            # The protocol carries hartree and bohr, so the last digits of the doubles change.
            np.testing.assert_allclose(driven.get_forces(), expected.forces, rtol=1e-10, atol=1e-8)
            assert driven.get_potential_energy() == pytest.approx(expected.energy, rel=1e-12)
            stress = -(expected.virial + expected.virial.T) / 2 / driven.get_volume()
            np.testing.assert_allclose(driven.get_stress(voigt=False), stress, rtol=1e-10, atol=1e-10)
    client.join(timeout=60)
    assert not client.is_alive()
