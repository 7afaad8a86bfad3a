"""Energies, stresses and heat flux, global and by atom: derivatives of the energy, and sums that agree."""

from dataclasses import replace

import numpy as np
import pytest

from nvnmd.quantize.model_file import save_model

START = "units metal\nread_data start.data\npair_style nvnmd model.nvnmd\npair_coeff * *\n"
MV2E = 1.0364269e-4  # eV in g/mol (angstrom/ps)^2, as LAMMPS's metal units have it
BAR_PER_EV_A3 = 1.6021765e6


@pytest.mark.parametrize(("direction", "entry"), [("x", 0), ("y", 4), ("z", 8), ("xy", 1), ("xz", 2), ("yz", 5)])
def test_pressure_is_the_energy_change_under_strain(lammps_in, make_frame, smooth_model, direction, entry):
    """The virial against the slope of the energy over a scan of each of the six numbers of a cell."""
    lammps = lammps_in(make_frame(4, tilt_A=1.0))
    save_model(smooth_model, lammps.folder / "model.nvnmd")
    cell = np.array([[12.0, 1.0, 1.5], [0, 12.0, -1.0], [0, 0, 12.0]])
    strains = np.linspace(-0.02, 0.02, 21)
    text = START + (
        "change_box all triclinic\nchange_box all xz delta 1.5 yz delta -1.0 remap\n"
        "compute p all pressure NULL virial\nthermo_style custom step pe vol c_p[*]\nthermo_modify format float %a\n"
    )
    now = 0.0
    for strain in strains:
        amount = f"scale {(1 + strain) / (1 + now)!s}" if len(direction) == 1 else f"delta {(strain - now) * 12.0!s}"
        text += f"change_box all {direction} {amount} remap\nrun 0\n"
        now = strain
    rows = [line.split() for line in lammps.succeed(text).splitlines() if line.split()[:1] == ["0"] and "0x" in line]
    found = np.array([[float.fromhex(word) for word in row[1:]] for row in rows])
    slope = np.polyfit(strains, found[:, 0], 4)[-2]
    xx, yy, zz, xy, xz, yz = found[10, 2:] * found[10, 1] / BAR_PER_EV_A3
    change = np.zeros(9)
    change[entry] = 12.0
    gradient = change.reshape(3, 3) @ np.linalg.inv(cell)  # of the displacement that the change of the cell makes
    work = (np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) * gradient).sum()
    assert abs(work) > 3.0
    assert work == pytest.approx(-slope, rel=0.003, abs=0.1)


@pytest.mark.parametrize("newton", ["on", "off"])
def test_atom_energies_and_stresses_add_up(lammps_in, frame, newton):
    text = f"newton {newton}\n{START}" + (
        "compute e all pe/atom\ncompute s all stress/atom NULL virial\ncompute c all centroid/stress/atom NULL virial\n"
        "compute es all reduce sum c_e\ncompute ss all reduce sum c_s[*]\ncompute cs all reduce sum c_c[*]\n"
        "compute p all pressure NULL virial\nthermo_style custom step pe vol c_es c_ss[*] c_cs[*] c_p[*]\n"
        "thermo_modify format float %.15g\nrun 0\n"
    )
    printed = lammps_in(frame).succeed(text, ranks=2)
    row = next(line.split() for line in printed.splitlines() if line.split()[:1] == ["0"] and len(line.split()) == 25)
    energy, volume, by_atom, *rest = (float(word) for word in row[1:])
    s, c, p = np.array(rest[:6]), np.array(rest[6:15]), -volume * np.array(rest[15:])
    assert energy == by_atom
    np.testing.assert_allclose(s, p, rtol=1e-9)
    np.testing.assert_allclose(c[:3], p[:3], rtol=1e-9)
    np.testing.assert_allclose((c[3:6] + c[6:]) / 2, p[3:], rtol=1e-9)


def test_heat_flux_is_the_drift_of_the_energy(lammps_in, frame):
    """In a cluster, volume x flux = d/dt of sum(r_i e_i), whatever the energy of an atom is defined to be."""
    cluster = replace(
        frame, positions=frame.positions + 10.0, cell=np.diag([34.0] * 3), velocities=frame.velocities / 2
    )
    step_ps, steps = 5e-4, 40
    masses = np.where(cluster.types == 0, 72.63, 127.6)
    text = START + (
        f"fix 1 all nve\ntimestep {step_ps}\ncompute k all ke/atom\ncompute e all pe/atom\n"
        "compute c all centroid/stress/atom NULL virial\ncompute j all heat/flux k e c\n"
        "thermo_style custom step c_j[*]\nthermo_modify format float %.15g\n"
        "dump d all custom 1 path id x y z vx vy vz c_e\ndump_modify d sort id format float %.17g\n"
        f"thermo {steps // 2}\nrun {steps}\n"
    )
    lammps = lammps_in(cluster)
    rows = [line.split() for line in lammps.succeed(text, ranks=2).splitlines()]
    middle = next(row for row in rows if row[:1] == [str(steps // 2)] and len(row) == 7)
    flux = np.array([float(word) for word in middle[1:4]])
    moments = []
    for block in (lammps.folder / "path").read_text().split("ITEM: ATOMS")[1:]:
        lines = block.split("ITEM: TIMESTEP")[0].splitlines()[1:]
        values = np.array([[float(word) for word in line.split()] for line in lines])
        energies = 0.5 * MV2E * masses * (values[:, 4:7] ** 2).sum(axis=1) + values[:, 7]
        moments.append((energies[:, None] * (values[:, 1:4] - 16.0)).sum(axis=0))
    times = step_ps * (np.arange(steps + 1) - steps // 2)
    drift = np.polyfit(times, np.array(moments), 5)[-2]
    assert np.abs(drift).max() > 100.0
    np.testing.assert_allclose(flux, drift, rtol=0, atol=0.02 * np.abs(drift).max())
