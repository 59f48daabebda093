"""The packaged table of elastic scattering: against the waves it was made from, and ELSEPA."""

import numpy as np
import pytest

from dosewright.core.errors import DosewrightError
from dosewright.core.units import AVOGADRO_PER_MOL, ELECTRON_MASS_MEV, FINE_STRUCTURE
from dosewright.materials.electrons import elastic_data
from dosewright.materials.electrons.partial_waves import cross_section, field, phases
from dosewright.materials.electrons.screening import TABLE_MEV, elastic_per_q, incoherent_share
from dosewright.materials.elements import element

BOHR2_CM2 = (0.529177210e-8) ** 2


def grid(energy):
    smallest = 1e-3 * (FINE_STRUCTURE**2 / (energy / ELECTRON_MASS_MEV * (energy / ELECTRON_MASS_MEV + 2)))
    return np.geomspace(smallest, 4, 1500)[None]


def moments(z, energy, positron=False, per_q=None):
    q = grid(energy)
    value = elastic_per_q({z: 1.0}, np.array([energy]), q, positron) if per_q is None else per_q
    value = value * q
    return np.array([np.trapezoid(value * f, np.log(q))[0] for f in (np.ones_like(q), q / 2, 1.5 * q * (1 - q / 4))])


@pytest.mark.parametrize("positron", [False, True])
@pytest.mark.parametrize(("z", "energy"), [(74, 0.0036), (74, 0.11), (29, 0.05), (8, 0.006), (20, 0.84)])
def test_between_its_energies_the_table_gives_the_waves(z, energy, positron):
    assert np.abs(TABLE_MEV / energy - 1).min() > 0.03
    kinetic = energy / ELECTRON_MASS_MEV
    up, down = phases(field(z), kinetic, positron)
    q = grid(energy)
    length2 = FINE_STRUCTURE**2 * BOHR2_CM2 * AVOGADRO_PER_MOL / element(z).atomic_weight
    exact = np.pi * cross_section(up, down, np.sqrt(kinetic * (kinetic + 2)), 1 - q[0] / 2)[None] * length2
    assert elastic_per_q({z: 1.0}, np.array([energy]), q, positron)[0] == pytest.approx(exact[0], rel=0.006)
    assert moments(z, energy, positron) == pytest.approx(moments(z, energy, positron, exact), rel=5e-4)


def test_beyond_the_waves_gold_scatters_as_in_elsepa():
    """First and second transport cross section at 10 MeV (ELSEPA 2020, a0^2); the nuclear size is two per cent."""
    per_atom = element(79).atomic_weight / AVOGADRO_PER_MOL / BOHR2_CM2
    total, first, second = moments(79, 10.0) * per_atom
    assert first == pytest.approx(3.63592e-6, rel=0.003)
    assert second == pytest.approx(9.96830e-6, rel=0.003)
    assert total == pytest.approx(2.75801e-1, rel=0.01)


def test_every_element_varies_smoothly_over_where_the_waves_end():
    energies = np.geomspace(0.5, 4.0, 31)
    for z in (1, 6, 20, 47, 74, 92):
        first = np.array([moments(z, e)[1] * e**2 for e in energies])
        bend = np.diff(np.log(first), 2)
        assert np.abs(np.diff(bend)).max() < 2e-3, z


def test_a_mixture_scatters_like_its_atoms():
    energies, shares = np.array([0.0117, 0.3, 7.0]), {1: 0.111894, 8: 0.5, 74: 0.388106}
    q = np.tile(np.geomspace(1e-6, 4, 500), (3, 1))
    parts = sum(share * elastic_per_q({z: 1.0}, energies, q, False) for z, share in shares.items())
    assert elastic_per_q(shares, energies, q, False) == pytest.approx(parts, rel=2e-3)


def test_few_electrons_go_off_by_small_transfers_and_all_by_large_ones():
    share = incoherent_share(8, np.array([1e-5, 2e-5, 0.5]))
    assert share[1] / share[0] == pytest.approx(4, rel=1e-6)
    assert share[2] == pytest.approx(1, abs=0.01)


def test_a_damaged_table_is_refused(tmp_path, monkeypatch):
    (tmp_path / "index.json").write_text('{"elastic_scattering.npz": {"sha256": "00"}}')
    (tmp_path / elastic_data.TABLE).write_bytes(b"something else")
    monkeypatch.setattr(elastic_data, "TABLES", tmp_path)
    with pytest.raises(DosewrightError, match="damaged"):
        elastic_data.stored.__wrapped__("steps")
