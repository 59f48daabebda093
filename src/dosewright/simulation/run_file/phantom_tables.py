"""The tables of a run file that say what is there: the phantom and the scene around it, as values. Lengths in mm."""

from typing import Annotated, Literal

from pydantic import Field, Strict

from dosewright.simulation.run_file.values import Count, Density, Edges, InsertName, Pair, Sizes, Table, Triple


class UnevenEdges(Table):
    """Voxel edges of axes whose voxels differ in size."""

    x: Edges | None = None
    y: Edges | None = None
    z: Edges | None = None


class Slab(Table):
    """A slab across the phantom, along z; later ones win. Its name is that of a region with cuts of its own."""

    name: InsertName | None = None
    z_mm: Pair
    material: str
    density_g_cm3: Density | None = None


class Box(Table):
    """An insert; later ones win, and boxes win over slabs. Its name is that of a region with cuts of its own."""

    name: InsertName | None = None
    x_mm: Pair
    y_mm: Pair
    z_mm: Pair
    material: str
    density_g_cm3: Density | None = None


class Phantom(Table):
    """A box of voxels, a CT image (HU) with its HU table, or a text phantom; outside is the scene, or vacuum.

    `media` says what names of media of a text phantom mean; with `densities` "media" those of the file are not taken;
    `alphabet` says how an egsphant file counts media above 9, where its characters do not tell.
    """

    size_mm: Sizes | None = None
    voxel_mm: Sizes | None = None
    origin_mm: Triple | None = None
    edges_mm: UnevenEdges = UnevenEdges()
    image: str | None = None
    hlut: str | None = None
    egsphant: str | None = None
    g4dcm: str | None = None
    media: dict[str, str] = Field(default_factory=dict)
    densities: Literal["file", "media"] | None = None
    alphabet: Literal["egsnrc", "egs_brachy"] | None = None
    material: str | None = None
    density_g_cm3: Density | None = None
    slab: Annotated[tuple[Slab, ...], Strict(False)] = ()
    box: Annotated[tuple[Box, ...], Strict(False)] = ()


class ModuleSet(Table):
    """Where jaws (`negative_mm`, `positive_mm`) or leaves (`pairs_mm`, a row for each pair) of the file stand."""

    module: Annotated[str, Field(min_length=1)]
    negative_mm: float | None = None
    positive_mm: float | None = None
    pairs_mm: Annotated[tuple[Pair, ...], Strict(False), Field(min_length=1)] | None = None


class Scene(Table):
    """Solids and modules of a file: where its origin lies in the axes of the run, and how it is turned about x, y, z.

    `fill` is what lies between the parts; None: what the file says. `set` moves modules; `plan` moves jaws and
    leaves to where a control point of a beam of a DICOM RT Plan has them, and turns modules by its collimator angle.
    """

    file: Annotated[str, Field(min_length=1)]
    fill: Annotated[str, Field(min_length=1)] | None = None
    origin_mm: Triple = (0.0, 0.0, 0.0)
    rotation_deg: Triple = (0.0, 0.0, 0.0)
    set: Annotated[tuple[ModuleSet, ...], Strict(False)] = ()
    plan: Annotated[str, Field(min_length=1)] | None = None
    beam: str | Count | None = None
    control_point: Annotated[Count, Field(ge=0)] | None = None
    gantry: Literal["ignored"] | None = None
    ignored_devices: Annotated[tuple[str, ...], Strict(False)] = ()
