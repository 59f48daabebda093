"""Phantoms: voxel centres decide, later ones win, what does not fit is said."""

from pathlib import Path

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.frame import rotation_about
from dosewright.core.grid import Grid, Image
from dosewright.core.matter import HounsfieldTable
from dosewright.formats.dose.mhd import write_mhd
from dosewright.materials.library import named
from dosewright.simulation.run_file.phantom_tables import Box, Phantom, Slab, UnevenEdges
from dosewright.simulation.setup.phantom import phantom_voxels
from dosewright.simulation.setup.resolvers import Resolvers

TABLE = HounsfieldTable(
    "two", np.zeros(0), np.zeros(0), np.array([-1000.0, -500.0]), 100.0, (named("G4_AIR"), named("G4_WATER"))
)
RESOLVERS = Resolvers(ct_protocol=lambda _name: TABLE)


def box(**more: object) -> Phantom:
    return Phantom.model_validate(
        {"size_mm": [40, 20, 60], "voxel_mm": [2, 5, 10], "origin_mm": [-20, 0, -5], "material": "G4_WATER", **more}
    )


def test_a_box_lies_where_it_should() -> None:
    built = phantom_voxels(box(density_g_cm3=0.9))
    assert built.grid == Grid((20, 4, 6), (2, 5, 10), (-19, 2.5, 0))
    x, y, z = built.voxels.edges_mm
    assert (x[0], x[-1], y[0], y[-1], z[0], z[-1]) == pytest.approx((-20, 20, 0, 20, -5, 55))
    assert np.all(built.voxels.density_g_cm3 == np.float32(0.9))
    assert built.warnings == ()


def test_slabs_then_boxes_and_later_ones_win() -> None:
    built = phantom_voxels(
        box(
            slab=[
                {"z_mm": [5, 35], "material": "G4_BONE_CORTICAL_ICRP"},
                {"z_mm": [25, 45], "material": "G4_LUNG_ICRP", "density_g_cm3": 0.26},
            ],
            box=[{"x_mm": [0, 20], "y_mm": [0, 20], "z_mm": [35, 55], "material": "G4_Ti"}],
        )
    )
    voxels = built.voxels
    names = [[voxels.materials[i].name for i in voxels.material[:, 0, column]] for column in (0, 19)]
    bone, lung = "G4_BONE_CORTICAL_ICRP", "G4_LUNG_ICRP"
    assert names[0] == ["G4_WATER", bone, bone, lung, lung, "G4_WATER"]
    assert names[1] == ["G4_WATER", bone, bone, lung, "G4_Ti", "G4_Ti"]
    densities = [named("G4_WATER").density_g_cm3, named(bone).density_g_cm3, 0.26, named("G4_Ti").density_g_cm3]
    assert voxels.density_g_cm3[[0, 1, 3, 5], 0, 19] == pytest.approx(densities, rel=1e-6)
    assert (voxels.material[:, 2, 9] == voxels.material[:, 0, 0]).all()  # x = -1 lies outside the box insert
    assert built.warnings == ()


@pytest.mark.parametrize(("low", "high", "first", "last"), [(4.9, 15, 1, 2), (9.9, 20.0, 1, 2), (10.1, 20.1, 2, 3)])
def test_the_centre_decides(low: float, high: float, first: int, last: int) -> None:
    """Centres lie at 0, 10, 20, ... mm."""
    built = phantom_voxels(box(slab=[Slab(z_mm=(low, high), material="G4_Ti").model_dump(exclude_none=True)]))
    inside = np.flatnonzero(built.voxels.material[:, 0, 0])
    assert (inside[0], inside[-1] + 1) == (first, last)
    assert len(built.warnings) == (low % 10 != 5) + (high % 10 != 5)
    assert f"Slab 1 ends at z = {10 * first - 5} mm, not at {low:g} mm" in built.warnings[0]
    assert "centre" in built.warnings[0]


def test_an_insert_beyond_the_phantom_is_cut_and_said() -> None:
    insert = Box(x_mm=(10, 30), y_mm=(0, 20), z_mm=(-5, 55), material="G4_Ti")
    built = phantom_voxels(box(box=[insert.model_dump(exclude_none=True)]))
    assert built.warnings == ("Box 1 ends at x = 20 mm, not at 30 mm: the phantom ends there.",)
    assert built.voxels.material[:, :, 15:].all()
    assert not built.voxels.material[:, :, :15].any()


def test_uneven_axes() -> None:
    built = phantom_voxels(box(edges_mm={"z": [-5, 0, 1, 2, 55]}))
    assert built.grid is None
    assert list(built.voxels.edges_mm[2]) == [-5, 0, 1, 2, 55]
    assert built.voxels.shape == (20, 4, 4)
    even = phantom_voxels(box(edges_mm={"z": [-5, 15, 35, 55]}))
    assert even.grid == Grid((20, 4, 3), (2, 5, 20), (-19, 2.5, 5))
    only = Phantom(edges_mm=UnevenEdges(x=(0, 1), y=(0, 1, 3), z=(0, 1)), material="G4_WATER")
    assert phantom_voxels(only).voxels.shape == (1, 2, 1)


def image(path: Path, direction: np.ndarray | None = None) -> Phantom:
    values = np.full((3, 2, 4), -1000.0)
    values[1:] = 0
    values[0, 0, 0], values[2, 1, 3] = -2000, 3000
    grid = Grid((4, 2, 3), (1, 2, 3), (10, 20, 30), np.eye(3) if direction is None else direction)
    write_mhd(path / "ct.mhd", Image(grid, values))
    return Phantom(image=str(path / "ct.mhd"), hlut="two")


def test_an_image_by_its_table(tmp_path: Path) -> None:
    built = phantom_voxels(image(tmp_path), RESOLVERS)
    assert built.grid == Grid((4, 2, 3), (1, 2, 3), (10, 20, 30))
    assert not built.voxels.material[0].any()
    assert built.voxels.material[1:].all()
    assert built.voxels.density_g_cm3[1, 0, 0] == 1
    assert len(built.warnings) == 2
    assert "1 voxels below -1000 HU" in built.warnings[0]
    assert "1 voxels above 99 HU" in built.warnings[1]


def test_inserts_in_an_image_lie_in_its_own_place(tmp_path: Path) -> None:
    slab = Slab(z_mm=(31.5, 34.5), material="G4_Ti")
    built = phantom_voxels(image(tmp_path).model_copy(update={"slab": (slab,)}), RESOLVERS)
    titanium = [m.name for m in built.voxels.materials].index("G4_Ti")
    assert [bool((plane == titanium).all()) for plane in built.voxels.material] == [False, True, False]
    turned = image(tmp_path, rotation_about("z", 90)).model_copy(update={"slab": (slab,)})
    with pytest.raises(InputError, match="turned"):
        phantom_voxels(turned, RESOLVERS)


def test_inserts_kept_apart_are_media_of_their_own() -> None:
    slabs = [
        {"z_mm": [-5, 5], "material": "G4_LUNG_ICRP", "name": "a"},
        {"z_mm": [5, 15], "material": "G4_LUNG_ICRP", "name": "b"},
        {"z_mm": [15, 25], "material": "G4_LUNG_ICRP", "density_g_cm3": 0.26},
        {"z_mm": [25, 35], "material": "G4_LUNG_ICRP"},
        {"z_mm": [35, 45], "material": "G4_LUNG_ICRP", "name": "a"},
    ]
    together = phantom_voxels(box(slab=slabs))
    assert [m.name for m in together.voxels.materials] == ["G4_WATER", "G4_LUNG_ICRP"]
    built = phantom_voxels(box(slab=slabs), apart=["a"])
    assert built.inserts == ("", "a", "", "")
    assert [m.name for m in built.voxels.materials] == ["G4_WATER", *["G4_LUNG_ICRP"] * 3]
    assert list(built.voxels.material[:, 0, 0]) == [1, 2, 3, 2, 1, 0]
    assert np.array_equal(built.voxels.density_g_cm3, together.voxels.density_g_cm3)
