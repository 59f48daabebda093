"""stub"""
from dosewright.core.jit import kernel
@kernel
def ionise(atoms, tables, material, energy, ray, place, photon_cut, electron_cut, stack, waiting, stream):
    return 0.0, waiting, stream
