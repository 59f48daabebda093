"""Pictures of cuts through a scene: materials in colour, names, rays of the field edges, axes in mm."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from dosewright import __version__
from dosewright.commissioning.scenes.cuts import NOTHING, Cut, Plane, cut, read_plane
from dosewright.commissioning.scenes.field_edges import edge_lines
from dosewright.commissioning.scenes.names import Name, names_on
from dosewright.commissioning.scenes.opened import OpenedScene
from dosewright.commissioning.scenes.window import Window, box_window, part_window, usual_planes, whole_scene
from dosewright.core.errors import InputError, refuse
from dosewright.core.looks import tried
from dosewright.core.matter import Material
from dosewright.core.scene import Module
from dosewright.core.solids import Triple
from dosewright.core.whole_file import write_whole
from dosewright.geometry.scene_check.intervals import Floats
from dosewright.geometry.scene_check.placed import Placed, place

NO_DEVICE = "not a medical device; QA and research"
DPI, FINER = 160, 2  # pixels of a picture per inch; pixels of a cut per pixel of the picture
LONGEST_IN, NARROWEST = 8.5, 0.4  # of a panel: its longer side, and the shorter one over it
TICKS_IN, HEAD_IN, FOOT_IN, LEGEND_IN = 0.6, 0.75, 0.65, 0.24
PANELS_IN_A_ROW, LEGEND_COLUMN_IN = 3, 2.6
LEAST_WIDTH_IN = 9.5  # of a picture: the hash of the file fits
LETTER_PT, LINE_PT = 7.0, 9.5  # size of names, height of their lines
INK, RAY = "#1b2733", "#c2185b"
DARK, OUTLINE = 0.55, 0.35  # lightness below which names are white; of outlines over that of their part
# After Okabe and Ito, Color Universal Design (2008), and lighter and darker tones of the same; the densest first.
COLOURS = ("#9aa5ad", "#D55E00", "#0072B2", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#8c6d46", "#a3c585", "#9467bd",
           "#e8c39e", "#7fb8b0", "#c7526a", "#b5bd4c", "#93a8c9", "#d9a6c8")  # fmt: skip
VACUUM, GAS, GAS_G_CM3 = "#ffffff", "#e9f2f7", 0.01


@dataclass(frozen=True)
class Picture:
    """What is drawn: placed parts, modules (for rays of the field edges), what fills the scene, and what it says."""

    placed: tuple[Placed, ...]
    modules: tuple[Module, ...]
    fill: Material | None
    title: str
    rays: bool = False
    phase: float = 0.0


def draw_scene(
    opened: OpenedScene,
    output: Path,
    *,
    planes: Sequence[str] = (),
    low_mm: Triple | None = None,
    high_mm: Triple | None = None,
    zoom: str | None = None,
    rays: bool = False,
    phase_deg: float = 0.0,
) -> list[str]:
    """Draw a scene on planes such as ``x=0`` (none: usual ones) into a PNG file; return the planes.

    What is shown: the box between two corners (mm), the parts that `zoom` names, or all.
    """
    problems: list[str] = []
    chosen = [tried(lambda text=text: read_plane(text), problems) for text in planes]  # type: ignore[misc]
    if output.suffix.lower() != ".png":
        problems += refuse("A picture is a PNG file", given=output.name, allowed="a name that ends in .png").problems
    if not output.absolute().parent.is_dir():
        problems += refuse("The folder of the picture does not exist", given=output.parent).problems
    placed, tree_problems = place(opened.parts)
    modules = opened.scene.modules
    window = tried(lambda: _window(placed, modules, low_mm, high_mm, zoom, rays), problems)
    if problems or tree_problems or window is None:
        raise InputError(*problems, *tree_problems)
    shown = [plane for plane in chosen if plane] or usual_planes(placed, modules, window)
    title = f"{opened.file}\nDosewright {__version__}, {NO_DEVICE}. SHA-256 of the file {opened.sha256}"
    draw(Picture(placed, modules, opened.scene.fill, title, rays, float(np.deg2rad(phase_deg))), shown, window, output)
    return [f"{plane.axis}={plane.at_mm:g}" for plane in shown]


def _window(placed: Sequence[Placed], modules: Sequence[Module], low: Triple | None, high: Triple | None,
            zoom: str | None, rays: bool) -> Window:  # fmt: skip
    if not placed:
        raise refuse("The scene has no parts to draw")
    if (low is None) != (high is None) or (low is not None and zoom is not None):
        raise refuse("What is shown is a box, or parts", given="one corner, or both a box and parts",
                     allowed="--from and --to together, or --zoom, or none of them")  # fmt: skip
    if low is not None and high is not None:
        return box_window(low, high)
    return part_window(placed, zoom) if zoom is not None else whole_scene(placed, modules, rays)


def draw(picture: Picture, planes: Sequence[Plane], window: Window, output: Path) -> None:
    """Draw cuts on planes, side by side, into a PNG file."""
    colours = colours_of(picture)
    panels = [_panel_of(picture, plane, *window.on(plane, NARROWEST)) for plane in planes]
    rows = [panels[n : n + PANELS_IN_A_ROW] for n in range(0, len(panels), PANELS_IN_A_ROW)]
    wide = max(LEAST_WIDTH_IN, *(sum(panel.width_in for panel in row) for row in rows))
    columns = max(int(wide / LEGEND_COLUMN_IN), 1)
    tall = HEAD_IN + sum(_row_height(row) for row in rows) + LEGEND_IN * int(np.ceil(len(colours) / columns)) + 0.2
    figure = Figure(figsize=(wide, tall), dpi=DPI, facecolor="white")
    for n, line in enumerate(picture.title.split("\n")):
        figure.text(0.25 / wide, 1 - (0.27 + 0.2 * n) / tall, line, size=10 if n == 0 else 8, color=INK, va="center")
    top = tall - HEAD_IN
    for row in rows:
        left = 0.0
        for panel in row:
            w, h = panel.size_in
            place = ((left + panel.gutters_in[0]) / wide, (top - 0.25 - h) / tall, w / wide, h / tall)
            _draw_panel(figure.add_axes(place), picture, panel, colours)
            left += panel.width_in
        top -= _row_height(row)
    handles = [Patch(facecolor=colour, edgecolor=INK, linewidth=0.5, label=label) for label, colour in colours.items()]
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.15 / wide, 0.05 / tall), frameon=False,
                  fontsize=8, ncols=columns)  # fmt: skip
    write_whole(output, lambda file: figure.savefig(file, format="png", dpi=DPI))


def colours_of(picture: Picture) -> dict[str, str]:
    """Return a colour for each material by what the legend says of it, the densest first; what fills the scene last."""
    found: dict[str, float] = {}
    for part in picture.placed:
        if part.part.material is not None:
            found[_legend(part)] = _density(part)
    ordered = sorted(found, key=lambda label: (-found[label], label))
    colours: dict[str, str] = {}
    solid = 0
    for label in ordered:
        if found[label] < GAS_G_CM3:
            colours[label] = _lighter("#56B4E9", 0.55 + 0.1 * (len(colours) % 3))
        else:
            tone = COLOURS[solid % len(COLOURS)]
            colours[label] = _lighter(tone, 0.3) if solid >= len(COLOURS) else tone
            solid += 1
    fill = "around: vacuum" if picture.fill is None else f"around: {picture.fill.name}"
    return {**colours, fill: VACUUM if picture.fill is None else GAS}


def _lighter(colour: str, by: float) -> str:
    r, g, b = (round(255 * (c + (1 - c) * by)) for c in to_rgb(colour))
    return f"#{r:02x}{g:02x}{b:02x}"


def _density(part: Placed) -> float:
    own = part.part.density_g_cm3
    return own if own is not None else part.part.material.density_g_cm3 if part.part.material else 0.0


def _legend(part: Placed) -> str:
    return f"{part.part.material.name if part.part.material else ''} ({_density(part):.4g} g/cm3)"


@dataclass(frozen=True)
class _Panel:
    """One cut with its names: those in parts, and those to the left and the right of it from below."""

    seen: Cut
    inside: tuple[Name, ...]
    beside: tuple[tuple[Name, ...], tuple[Name, ...]]

    @property
    def size_in(self) -> tuple[float, float]:
        """Width and height without names, inches."""
        (a, b), (c, d) = self.seen.low, self.seen.high
        scale = LONGEST_IN / max(c - a, d - b)
        return (c - a) * scale, (d - b) * scale

    @property
    def gutters_in(self) -> tuple[float, float]:
        """Room to the left and to the right: for ticks, and for names."""
        longest = [max((len(name.text) for name in names), default=0) for names in self.beside]
        left, right = (0.35 + 0.065 * letters if letters else 0.0 for letters in longest)
        return TICKS_IN + left, 0.25 + right

    @property
    def width_in(self) -> float:
        """Width with names, inches."""
        return sum(self.gutters_in) + self.size_in[0]


def _row_height(row: Sequence[_Panel]) -> float:
    return max(panel.size_in[1] for panel in row) + 0.25 + FOOT_IN


def _panel_of(picture: Picture, plane: Plane, low: tuple[float, float], high: tuple[float, float]) -> _Panel:
    pixel = max(high[0] - low[0], high[1] - low[1]) / (LONGEST_IN * DPI * FINER)
    seen = cut(picture.placed, plane, low, high, pixel, picture.phase)
    empty = _Panel(seen, (), ((), ()))
    lines = int(empty.size_in[1] * 72 / (1.15 * LINE_PT))
    letter_px = tuple(size * DPI * FINER / 72 for size in (0.6 * LETTER_PT, LINE_PT))
    names = names_on(seen, [p.name for p in picture.placed], (letter_px[0], letter_px[1]), lines)
    beside = sorted((name for name in names if not name.inside), key=lambda name: name.at_mm[1])
    left_of = (low[0] + high[0]) / 2 - 0.1 * (high[0] - low[0])
    sides = [name for name in beside if name.at_mm[0] < left_of], [name for name in beside if name.at_mm[0] >= left_of]
    return _Panel(seen, tuple(name for name in names if name.inside), (tuple(sides[0]), tuple(sides[1])))


def _draw_panel(axes: Axes, picture: Picture, panel: _Panel, colours: dict[str, str]) -> None:
    seen, (low, high) = panel.seen, (panel.seen.low, panel.seen.high)
    fill = list(colours.values())[-1]
    tones = [colours[_legend(p)] if p.part.material else fill for p in picture.placed] + [fill]
    palette = np.array([to_rgb(tone) for tone in tones])
    axes.imshow(_with_outlines(seen, palette), origin="lower", extent=(low[0], high[0], low[1], high[1]),
                interpolation="antialiased", aspect="equal")  # fmt: skip
    right, up = ("xyz"[k] for k in seen.plane.across)
    axes.set_title(seen.plane.title, loc="left", size=9, color=INK)
    axes.set_xlabel(f"{right} (mm)", size=8)
    axes.set_ylabel(f"{up} (mm)", size=8, loc="top")
    axes.tick_params(labelsize=7, width=0.6)
    axes.grid(color="0.7", lw=0.3, alpha=0.5)
    if picture.rays:
        _draw_rays(axes, picture, seen.plane)
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    for name in panel.inside:
        dark = palette[name.index] @ (0.3, 0.59, 0.11) < DARK
        axes.text(*name.at_mm, name.text, size=LETTER_PT, color="white" if dark else INK, ha="center", va="center",
                  rotation=90 if name.upright else 0, zorder=5, clip_on=True,
                  path_effects=[withStroke(linewidth=1.5, foreground=tones[name.index])])  # fmt: skip
    for names, side in zip(panel.beside, (-1, 1), strict=True):
        _write_beside(axes, names, side, panel)


def _with_outlines(seen: Cut, palette: Floats) -> Floats:
    """Return the colours of a cut, dark where parts end: on the side of the larger part, so that foils keep theirs."""
    parts = np.where(seen.parts == NOTHING, len(palette) - 1, seen.parts)
    area = np.bincount(parts.ravel(), minlength=len(palette))
    area[-1] = parts.size + 1
    edge = np.zeros(parts.shape, bool)
    for one, other, first, second in (
        (parts[:, 1:], parts[:, :-1], edge[:, 1:], edge[:, :-1]),
        (parts[1:], parts[:-1], edge[1:], edge[:-1]),
    ):
        differ, larger = one != other, area[one] >= area[other]
        first |= differ & larger
        second |= differ & ~larger
    image = palette[parts]
    image[edge] = OUTLINE * image[edge]
    return image


def _draw_rays(axes: Axes, picture: Picture, plane: Plane) -> None:
    for line in edge_lines(picture.modules, picture.placed, plane):
        axes.plot(*line.points_mm.T, ls=(0, (5, 3)), lw=0.9, color=RAY, zorder=3)
        if line.says:
            axes.annotate(
                line.says, line.points_mm[-1], xytext=(0, -3), textcoords="offset points", size=6.5, color=RAY,
                ha="center", va="top", zorder=4, annotation_clip=True,
                path_effects=[withStroke(linewidth=2, foreground="white")],
            )  # fmt: skip


def _write_beside(axes: Axes, names: Sequence[Name], side: int, panel: _Panel) -> None:
    """Write names in a column beside the panel, at the height of their parts as far as there is room."""
    if not names:
        return
    low, high = panel.seen.low[1], panel.seen.high[1]
    wide, tall = panel.size_in
    wanted = np.array([(name.at_mm[1] - low) / (high - low) for name in names])
    for name, height in zip(names, spread(wanted, 1.15 * LINE_PT / 72 / tall), strict=True):
        axes.annotate(
            name.text, name.at_mm, xytext=(1 + 0.25 / wide if side > 0 else -TICKS_IN / wide, height),
            textcoords="axes fraction", size=LETTER_PT, color=INK, va="center", ha="left" if side > 0 else "right",
            annotation_clip=False, zorder=6,
            arrowprops={"arrowstyle": "-", "lw": 0.5, "color": INK, "shrinkA": 1, "shrinkB": 0},
        )  # fmt: skip
        axes.plot(*name.at_mm, ".", ms=2.5, color=INK, zorder=6)


def spread(wanted: Floats, step: float) -> Floats:
    """Return ascending heights between 0 and 1 as near as may be to those wanted, at least a step apart."""
    heights = wanted.copy()
    for n in range(1, len(heights)):
        heights[n] = max(heights[n], heights[n - 1] + step)
    top = 1.0
    for n in range(len(heights) - 1, -1, -1):
        heights[n] = min(heights[n], top)
        top = heights[n] - step
    return heights
