"""What each medium of a phantom of voxels fills."""

from dataclasses import dataclass

import numpy as np

from dosewright.core.voxel_phantom import VACUUM, VoxelPhantom

NAME_OF_VACUUM = "VACUUM"  # as EGSnrc writes it


@dataclass(frozen=True)
class MediumShare:
    """How much of a phantom a medium fills: voxels, volume (cm3), mass (g), least and highest density (g/cm3)."""

    name: str
    voxels: int
    volume_cm3: float
    mass_g: float
    least_g_cm3: float
    most_g_cm3: float


def medium_shares(phantom: VoxelPhantom) -> tuple[MediumShare, ...]:
    """Return what each medium fills, in the order of the file, vacuum first where there is any."""
    x, y, z = (np.diff(edges) / 10.0 for edges in phantom.edges_mm)
    volume = (z[:, None, None] * y[None, :, None] * x[None, None, :]).ravel()
    number, density = phantom.numbers.ravel(), phantom.density_g_cm3.ravel()
    count = len(phantom.media) + 1
    voxels = np.bincount(number, minlength=count)
    volumes = np.bincount(number, weights=volume, minlength=count)
    masses = np.bincount(number, weights=volume * density, minlength=count)
    least, most = np.full(count, np.inf), np.zeros(count)
    np.minimum.at(least, number, density)
    np.maximum.at(most, number, density)
    names = (NAME_OF_VACUUM, *phantom.media)
    return tuple(
        MediumShare(
            names[n],
            int(voxels[n]),
            float(volumes[n]),
            float(masses[n]),
            float(least[n]) if voxels[n] else 0.0,
            float(most[n]),
        )
        for n in range(count)
        if n != VACUUM or voxels[n]
    )
