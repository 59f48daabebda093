"""Quantiles of a density."""

import numpy as np

from dosewright.materials.photons.quantiles import INTERVALS, NODES, node_energies_MeV, quantiles


def test_quantiles_of_a_linear_density_are_square_roots() -> None:
    x = np.linspace(0.0, 1.0, 100_001)
    np.testing.assert_allclose(quantiles(x, x), np.sqrt(np.arange(INTERVALS + 1) / INTERVALS), atol=1e-5)


def test_nodes_span_all_energies() -> None:
    energies = node_energies_MeV()
    assert len(energies) == NODES
    assert energies[0] == 2.0**-10
    assert energies[-1] == 64.0
    assert (np.diff(energies) > 0.0).all()
