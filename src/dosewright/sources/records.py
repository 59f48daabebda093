"""Records of a phase space as the kernels read them: one row each, in the axes of the file, cm and MeV."""

import numpy as np

# Columns of `Source.records`, float32; the species is one of `transport.tracks`.
X, Y, Z, U, V, W, ENERGY, WEIGHT, SPECIES = range(9)
COLUMNS = 9
NO_RECORDS = np.zeros((0, COLUMNS), np.float32)

# A use of a record is the number of its row, shifted, with what is mirrored below.
FLIPS_X, FLIPS_Y, ROW_SHIFT = 1, 2, 2
