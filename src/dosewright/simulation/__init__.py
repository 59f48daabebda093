"""One problem, from objects to numbers."""

from dosewright.simulation.run_file.read import read_run_file
from dosewright.simulation.run_file.tables import RunFile
from dosewright.simulation.run_folder import run_in_folder

__all__ = ["RunFile", "read_run_file", "run_in_folder"]
