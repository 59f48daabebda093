"""Compton scattering alone: what is sampled against the formulas, and the books of energy and momentum."""

import numpy as np
import pytest

from dosewright.core.jit import kernel
from dosewright.core.random import start_stream
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.geometry.trace import Place, Ray
from dosewright.materials.library import named
from dosewright.materials.photons.compton import HC_MEV_ANGSTROM, Shell, compton_tables, scattering_function, shells
from dosewright.transport.photons.compton import compton
from dosewright.transport.tracks import ELECTRON, empty_stack

EVENTS = 1_000_000
AFTER, COSINE, DEPOSITED, ELEMENT, SHELL, ELECTRONS, KINETIC, U, V, W, X, Y = range(12)


@kernel
def scatter(tables, material, energy, photon_cut, electron_cut, stack, out):
    ray, place = Ray(0.3, 0.4, 0.5, 0.0, 0.0, 1.0), Place(1, 2, 3, 4)
    for n in range(out.shape[0]):
        after, new, deposited, element, shell, waiting, _ = compton(
            tables, material, energy, ray, place, photon_cut, electron_cut, stack, 0, start_stream(9, n)
        )
        out[n, 0], out[n, 1], out[n, 2], out[n, 3], out[n, 4] = after, new.w, deposited, element, shell
        out[n, 5], out[n, 10], out[n, 11] = waiting, new.u, new.v
        out[n, 6], out[n, 7], out[n, 8], out[n, 9] = 0.0, 0.0, 0.0, 0.0
        if waiting == 1 and stack[0, 7] == ELECTRON:
            out[n, 6], out[n, 7], out[n, 8], out[n, 9] = stack[0, 6], stack[0, 3], stack[0, 4], stack[0, 5]


def sampled(name: str, energy: float, cut: float = 1e-9, off: tuple[str, ...] = (), events: int = EVENTS) -> np.ndarray:
    out = np.zeros((events, 12))
    scatter(compton_tables([named("G4_AIR"), named(name)], off), 1, energy, cut, cut, empty_stack(), out)
    return out


def angular_density(name: str, energy: float, turn: np.ndarray) -> np.ndarray:
    left = 1.0 / (1.0 + energy / ELECTRON_MASS_MEV * turn)
    x = energy / HC_MEV_ANGSTROM * np.sqrt(0.5 * turn)
    klein_nishina = left**2 * (left + 1.0 / left - turn * (2.0 - turn))
    return klein_nishina * scattering_function(named(name), np.maximum(x, 1e-12))


@pytest.mark.parametrize(("name", "energy"), [("water", 0.02), ("G4_Pb", 0.0873), ("water", 1.7)])
@pytest.mark.parametrize("cut", [1e-9, 0.004, 1.0])
def test_energy_is_conserved(name: str, energy: float, cut: float) -> None:
    out = sampled(name, energy, cut, events=20_000)
    binding = {(Z, one.order): one.binding for Z in (1, 8, 82) for one in shells(Z)}
    left_out = np.array([binding[int(Z), int(s)] if s >= 0 else 0.0 for Z, s in out[:, [ELEMENT, SHELL]]])
    total = out[:, AFTER] + out[:, DEPOSITED] + out[:, KINETIC] + left_out
    np.testing.assert_allclose(total, energy, rtol=1e-9)
    assert (out[:, AFTER] > 0.0).all()
    assert (left_out[out[:, SHELL] >= 0] >= cut).all()
    assert (out[:, KINETIC][out[:, ELECTRONS] == 1] >= cut).all()


@pytest.mark.parametrize(
    ("name", "energy"),
    [("water", 0.0012), ("water", 0.01), ("G4_Pb", 0.03), ("water", 0.1), ("G4_Pb", 1.0), ("water", 45.0)],
)
def test_angles_follow_klein_nishina_and_the_scattering_function(name: str, energy: float) -> None:
    turn = np.linspace(0.0, np.sqrt(2.0), 200_001) ** 2
    density = angular_density(name, energy, turn)
    below = np.concatenate(([0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(turn))))
    probability = np.interp(1.0 - sampled(name, energy)[:, COSINE], turn, below / below[-1])
    counts, _ = np.histogram(probability, 50, (0.0, 1.0))
    chi2 = ((counts - EVENTS / 50) ** 2).sum() / (EVENTS / 50)
    assert chi2 < 85.4  # 49 degrees of freedom, 0.1 %


@pytest.mark.parametrize(("energy", "published"), [(0.1, 0.138), (1.0, 0.440), (10.0, 0.684)])
def test_mean_energy_of_recoil_from_free_electrons(energy: float, published: float) -> None:
    # Attix, Introduction to Radiological Physics (1986), appendix D.1: mean fraction of energy given to the electron
    turn = np.linspace(0.0, np.sqrt(2.0), 200_001) ** 2
    left = 1.0 / (1.0 + energy / ELECTRON_MASS_MEV * turn)
    density = left**2 * (left + 1.0 / left - turn * (2.0 - turn))
    mean = np.trapezoid(density * (1.0 - left), turn) / np.trapezoid(density, turn)
    assert mean == pytest.approx(published, rel=0.004)  # which is rounded
    out = sampled("water", energy, off=("bound_compton",))
    assert out[:, KINETIC].mean() / energy == pytest.approx(mean, rel=0.002)  # 3 standard errors at 0.1 MeV


def test_momentum_is_conserved_with_free_electrons() -> None:
    energy = 2.3
    out = sampled("water", energy, off=("bound_compton",), events=20_000)
    electron = np.sqrt(out[:, KINETIC] * (out[:, KINETIC] + 2.0 * ELECTRON_MASS_MEV))
    total = out[:, [X, Y, COSINE]] * out[:, [AFTER]] + out[:, [U, V, W]] * electron[:, None]
    np.testing.assert_allclose(total, np.broadcast_to([0.0, 0.0, energy], total.shape), atol=1e-6)


def impulse(one: Shell, energy: float, turn: float, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return energies after scattering and the probability density in the momentum `along` (mc), cut at the binding.

    The energies invert the definition of the momentum, pz = [k k'(1 - cos) - (k - k')]/|k - k'| in mc.
    """
    k = energy / ELECTRON_MASS_MEV
    grid = np.linspace(1e-4, 1.0, 20_001) * (k - one.binding / ELECTRON_MASS_MEV)
    transfer = np.sqrt(k * k + grid * grid - 2.0 * k * grid * (1.0 - turn))
    momentum = (k * grid * turn - (k - grid)) / transfer
    after = np.interp(along, momentum, grid, left=np.nan, right=np.nan)
    left = 1.0 / (1.0 + k * turn)
    at_rest = np.sqrt(1.0 + left * left - 2.0 * left * (1.0 - turn))
    slope = at_rest + left * (left - 1.0 + turn) / at_rest
    y = np.sqrt(0.5) + abs(along) / one.width
    density = y * np.exp(0.5 - y * y) / one.width * (1.0 + slope * np.clip(along, -0.2, 0.2))
    return after * ELECTRON_MASS_MEV, np.where(np.isnan(after), 0.0, density)


@pytest.mark.parametrize(("name", "Z", "energy"), [("G4_C", 6, 0.01), ("G4_Cu", 29, 0.06), ("G4_Pb", 82, 0.14)])
def test_energies_follow_the_impulse_approximation(name: str, Z: int, energy: float) -> None:
    turn = (np.arange(100) + 0.5) / 50.0
    weight = angular_density(name, energy, turn)
    along = np.linspace(-0.999, 0.999, 4001)
    means, squares, inner = np.zeros(100), np.zeros(100), np.zeros(100)
    for i, t in enumerate(turn):
        at_rest = energy / (1.0 + energy / ELECTRON_MASS_MEV * t)
        total = 0.0
        for one in shells(Z):
            after, density = impulse(one, energy, t, along)
            density = one.electrons * density
            total += density.sum()
            means[i] += np.nansum(density * (after - at_rest))
            squares[i] += np.nansum(density * (after - at_rest) ** 2)
            inner[i] += density.sum() * (one.order == 0)
        means[i], squares[i], inner[i] = means[i] / total, squares[i] / total, inner[i] / total
    out = sampled(name, energy, events=1_000_000)
    shift = out[:, AFTER] - energy / (1.0 + energy / ELECTRON_MASS_MEV * (1.0 - out[:, COSINE]))
    spread = np.sqrt(np.average(squares, weights=weight))
    assert shift.mean() == pytest.approx(np.average(means, weights=weight), abs=0.004 * spread)  # 4 standard errors
    assert np.sqrt((shift**2).mean()) == pytest.approx(spread, rel=0.005)
    of_k = ((out[:, SHELL] == 0) & (out[:, ELEMENT] == Z)).mean()
    assert of_k == pytest.approx(np.average(inner, weights=weight), abs=0.0015)


@pytest.mark.parametrize("off", ["doppler", "bound_compton"])
def test_electrons_at_rest_scatter_to_comptons_energy(off: str) -> None:
    energy = 0.05
    out = sampled("G4_Cu", energy, off=(off,), events=20_000)
    at_rest = energy / (1.0 + energy / ELECTRON_MASS_MEV * (1.0 - out[:, COSINE]))
    np.testing.assert_allclose(out[:, AFTER], at_rest, rtol=1e-9)
    assert (out[:, SHELL] >= 0).any() == (off == "doppler")
