"""Physical constants; inside the kernels lengths are cm, energies MeV, masses g."""

from typing import Final

ELECTRON_MASS_MEV: Final = 0.51099895069  # CODATA 2022 (Mohr et al., Rev. Mod. Phys. 97, 025002)
PROTON_MASS_MEV: Final = 938.27208943  # CODATA 2022
NEUTRON_MASS_MEV: Final = 939.56542194  # CODATA 2022
DEUTERON_MASS_MEV: Final = 1875.61294500  # CODATA 2022
TRITON_MASS_MEV: Final = 2808.92113668  # CODATA 2022
HELION_MASS_MEV: Final = 2808.39161112  # CODATA 2022
ALPHA_MASS_MEV: Final = 3727.3794118  # CODATA 2022
ATOMIC_MASS_UNIT_MEV: Final = 931.49410372  # CODATA 2022
AVOGADRO_PER_MOL: Final = 6.02214076e23  # exact, SI 2019
FINE_STRUCTURE: Final = 7.2973525643e-3  # CODATA 2022
BETHE_K_MEV_CM2_PER_MOL: Final = 0.307075  # 4 pi N_A r_e^2 m_e c^2 (PDG, Passage of particles through matter)
HBAR_C_MEV_FM: Final = 197.3269804  # exact by SI 2019, rounded
MEV_PER_G_IN_GY: Final = 1.602176634e-10  # 1 MeV/g in Gy; exact, SI 2019
MM_PER_CM: Final = 10.0
FWHM_PER_SIGMA: Final = 2.3548200450309493  # 2 sqrt(2 ln 2)
