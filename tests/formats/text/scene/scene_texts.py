"""What tests of scene files share: a file with every shape and one with modules, and what is refused of a file."""

from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from dosewright.core.errors import InputError
from dosewright.formats.text.scene.scene_toml import read_scene_toml
from dosewright.materials.library import named

SHAPES = """
[scene]
name = "bench"
fill = "air"

[[material]]
name = "shielding"
density_g_cm3 = 3.0
mixture = { alloy = 0.5, G4_WATER = 0.5 }

[[material]]
name = "alloy"
density_g_cm3 = 17.5
elements = { W = 0.9, Ni = 0.06, Cu = 0.04 }
mean_excitation_eV = 700.0

[[part]]
name = "room"
box = { size_mm = [1000, 1100.0, 1200.0] }
material = "fill"

[[part]]
name = "pipe"
parent = "room"
tube = { radius_mm = 30.0, length_mm = 50.0, inner_radius_mm = 10.0, start_deg = 15.0, sweep_deg = 270.0 }
material = "shielding"
density_g_cm3 = 2.5
centre_mm = [1.0, 2.0, 3.0]
rotation_deg = [90.0, 0.0, 90.0]
turns = true

[[part]]
name = "plug"
parent = "room"
centre_mm = [200.0, 0.0, 0.0]
material = "alloy"
[part.cone]
lower_radius_mm = 5.0
upper_radius_mm = 8.0
length_mm = 20.0
lower_inner_mm = 1.0
upper_inner_mm = 2.0

[[part]]
name = "ball"
sphere = { radius_mm = 7.0, inner_radius_mm = 3.0 }
material = "water"

[[part]]
name = "filter"
polycone = { z_mm = [0.0, 5.0, 5.0, 9.0], radius_mm = [1.0, 6.0, 9.0, 9.0] }
material = "G4_Cu"

[[part]]
name = "star"
prism = { outline_mm = [[0, 0], [10, 0], [4, 4], [0, 10]], length_mm = 3.0 }
material = "G4_Pb"

[[part]]
name = "wedge"
frustum = { lower_mm = [10.0, 20.0], upper_mm = [0.0, 20.0], length_mm = 15.0 }
material = "G4_Fe"

[[part]]
name = "bored"
material = "G4_Al"
difference = [
  { box = { size_mm = [40.0, 40.0, 10.0] } },
  { tube = { radius_mm = 4.0, length_mm = 10.0 }, centre_mm = [10.0, 0.0, 0.0] },
  { union = [
      { sphere = { radius_mm = 2.0 } },
      { intersection = [
          { sphere = { radius_mm = 2.0 } }, { box = { size_mm = [1, 1, 1] } },
        ], rotation_deg = [0, 90, 0] },
    ], centre_mm = [-10.0, 0.0, 0.0] },
]
"""

MODULE = """
[scene]
beam = 1

[[part]]
name = "head"
box = { size_mm = [900.0, 900.0, 900.0] }
material = "fill"

[[module]]
kind = "jaws"
name = "upper"
parent = "head"
orientation = "Y"
tip = { kind = "ROUND_DISP", radius_mm = 150.0, centre_below_top_mm = 40.0, half_value_mm = 12.0 }
half_size_mm = [60.0, 61.0, 39.0]
focus_z_mm = 0.0
centre_z_mm = 300.0
isocentre_z_mm = 1000.0
negative_mm = -50.0
positive_mm = 55.0
material = "G4_W"

[[module]]
kind = "mlc"
name = "leaves"
focused = true
orientation = "X"
half_length_mm = 80.0
focus_z_mm = 0.0
cross_focus_mm = 1.0
isocentre_z_mm = -1000.0
top_z_mm = -400.0
gap_z_mm = -30.0
cross_gap_mm = 0.1
cross_start_mm = -10.0
material = "G4_W"
beam = -1

[module.tip]
kind = "ROUND_DISP_POSFILE"
radius_mm = 80.0
centre_below_top_mm = 30.0
positions_mm = [[0.0, 0.0], [100.0, 95.0]]

[[module.profiles]]
kind = "LEAF"
points_mm = [[0.0, 0.0], [0.0, 5.0], [-60.0, 5.0], [-60.0, 0.0]]

[[module.pairs]]
profile = 1
negative_mm = -20.0
positive_mm = 21.0

[[module.pairs]]
profile = 1
negative_mm = -22.0
positive_mm = 23.0

[[module]]
kind = "range_modulator"
name = "wheel"
hub_inner_mm = 10.0
hub_outer_mm = 40.0
outer_mm = 120.0
blades = 3
thickness_mm = [5.0, 11.0]
weights = [0.2, 0.3]
material = "G4_LUCITE"
centre_mm = [60.0, 0.0, 0.0]
turns = false
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "head.toml"
    path.write_text(text)
    return path


def problems_of(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as refused:
        read_scene_toml(write(folder, text), named)
    return str(refused.value)


def without_places(value: object) -> object:
    """Return a value with the fields of all dataclasses in it, but where they were read."""
    if isinstance(value, tuple):
        return tuple(without_places(one) for one in value)
    if is_dataclass(value):
        return {one.name: without_places(getattr(value, one.name)) for one in fields(value) if one.name != "where"}
    return value
