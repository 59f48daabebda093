"""Run every benchmark and write its page: ``python -m benchmarks``."""

from benchmarks import (
    beamnrc_heads,
    dvh_noise,
    electron_processes,
    fit_beam,
    fred_decks,
    gamma_noise,
    gamma_speed,
    linac_head,
    memory_estimate,
    passive_elements,
    phase_space_speed,
    photon_processes,
    photon_speed,
    photons_electrons,
    plan_script,
    proton_processes,
    proton_speed,
    protons_in_water,
    real_plans,
    scenes,
    stopping,
    xray_tube,
)


def main() -> None:
    """Run one after the other; each prints what it writes."""
    protons_in_water.main([])
    proton_processes.main()
    passive_elements.main()
    photons_electrons.main([])
    photon_processes.main()
    electron_processes.main()
    proton_speed.main([])
    photon_speed.main([])
    gamma_speed.main([])
    gamma_noise.main()
    dvh_noise.main()
    stopping.main([])
    fit_beam.main([])
    memory_estimate.main()
    linac_head.main([])
    beamnrc_heads.main([])
    xray_tube.main([])
    phase_space_speed.main(["--page"])
    real_plans.main([])
    scenes.main([])
    fred_decks.main()
    plan_script.main()


if __name__ == "__main__":
    main()
