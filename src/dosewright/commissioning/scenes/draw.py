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

from dosewright.commissioning.scenes.cuts import NOTHING, Cut, Plane, cut
from dosewright.commissioning.scenes.field_edges import edge_lines
from dosewright.commissioning.scenes.names import Name, names_on
from dosewright.commissioning.scenes.window import Window
from dosewright.core.matter import Material
from dosewright.core.scene import Module
from dosewright.core.whole_file import write_whole
from dosewright.geometry.scene_check.intervals import Floats
from dosewright.geometry.scene_check.placed import Placed

NO_DEVICE = "not a medical device; QA and research"
DPI, FINER = 160, 2  # pixels of a picture per inch; pixels of a cut per pixel of the picture
LONGEST_IN, NARROWEST = 8.5, 0.4  # of a panel: its longer side, and the shorter one over it
GUTTER_IN, HEAD_IN, FOOT_IN, LEGEND_IN = 1.9, 0.75, 0.65, 0.24
PANELS_IN_A_ROW, LEGEND_COLUMN_IN = 3, 2.6
LETTER_PT, LINE_PT = 7.0, 9.5  # size of names, height of their lines
INK, RAY = "#1b2733", "#c2185b"
# After Okabe and Ito, Color Universal Design (2008), and lighter and darker tones of the same; the densest first.
COLOURS = ("#5f6b73", "#D55E00", "#0072B2", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#8c6d46", "#a3c585", "#9467bd",
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


def draw(picture: Picture, planes: Sequence[Plane], window: Window, output: Path) -> None:
    """Draw cuts on planes, side by side, into a PNG file."""
    colours = colours_of(picture)
    views = [(plane, *window.on(plane, NARROWEST)) for plane in planes]
    rows = [views[n : n + PANELS_IN_A_ROW] for n in range(0, len(views), PANELS_IN_A_ROW)]
    wide = max(sum(_size_in(low, high)[0] + 2 * GUTTER_IN for _, low, high in row) for row in rows)
    legend_rows = int(np.ceil(len(colours) / max(int(wide / LEGEND_COLUMN_IN), 1)))
    tall = HEAD_IN + sum(_row_height(row) for row in rows) + LEGEND_IN * legend_rows + 0.2
    figure = Figure(figsize=(wide, tall), dpi=DPI, facecolor="white")
    figure.text(0.3 / wide, 1 - 0.3 / tall, picture.title, size=11, color=INK, va="center", weight="bold")
    top = tall - HEAD_IN
    for row in rows:
        left = 0.0
        for plane, low, high in row:
            w, h = _size_in(low, high)
            place = ((left + GUTTER_IN) / wide, (top - 0.25 - h) / tall, w / wide, h / tall)
            _panel(figure.add_axes(place), picture, plane, low, high, colours)
            left += w + 2 * GUTTER_IN
        top -= _row_height(row)
    handles = [Patch(facecolor=colour, edgecolor=INK, linewidth=0.5, label=label) for label, colour in colours.items()]
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.2 / wide, 0.05 / tall), frameon=False,
                  fontsize=8, ncols=max(int(wide / LEGEND_COLUMN_IN), 1))  # fmt: skip
    write_whole(output, lambda file: figure.savefig(file, format="png", dpi=DPI))


def colours_of(picture: Picture) -> dict[str, str]:
    """Return a colour for each material by what the legend says of it, the densest first; what fills the scene last."""
    found: dict[str, float] = {}
    for part in picture.placed:
        if part.part.material is not None:
            found[_legend(part)] = _density(part)
    ordered = sorted(found, key=lambda label: (-found[label], label))
    colours, solid = {}, 0
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
    r, g, b = (int(round(255 * (c + (1 - c) * by))) for c in to_rgb(colour))
    return f"#{r:02x}{g:02x}{b:02x}"


def _density(part: Placed) -> float:
    own = part.part.density_g_cm3
    return own if own is not None else part.part.material.density_g_cm3 if part.part.material else 0.0


def _legend(part: Placed) -> str:
    return f"{part.part.material.name if part.part.material else ''} ({_density(part):.4g} g/cm3)"


def _size_in(low: tuple[float, float], high: tuple[float, float]) -> tuple[float, float]:
    width, height = high[0] - low[0], high[1] - low[1]
    scale = LONGEST_IN / max(width, height)
    return width * scale, height * scale


def _row_height(row: Sequence[tuple[Plane, tuple[float, float], tuple[float, float]]]) -> float:
    return max(_size_in(low, high)[1] for _, low, high in row) + 0.25 + FOOT_IN


def _panel(axes: Axes, picture: Picture, plane: Plane, low: tuple[float, float], high: tuple[float, float],
           colours: dict[str, str]) -> None:  # fmt: skip
    pixel = max(high[0] - low[0], high[1] - low[1]) / (LONGEST_IN * DPI * FINER)
    seen = cut(picture.placed, plane, low, high, pixel)
    fill = list(colours.values())[-1]
    palette = np.array([to_rgb(colours[_legend(p)] if p.part.material else fill) for p in picture.placed] + [to_rgb(fill)])
    axes.imshow(_with_outlines(seen, palette), origin="lower", extent=(low[0], high[0], low[1], high[1]),
                interpolation="antialiased", aspect="equal")  # fmt: skip
    right, up = ("xyz"[k] for k in plane.across)
    axes.set_title(plane.title, loc="left", size=9, color=INK)
    axes.set_xlabel(f"{right} (mm)", size=8)
    axes.set_ylabel(f"{up} (mm)", size=8)
    axes.tick_params(labelsize=7, width=0.6)
    axes.grid(color="0.75", lw=0.3, alpha=0.6)
    axes.set_axisbelow(False)
    if picture.rays:
        _draw_rays(axes, picture, plane)
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    letter = tuple(size * DPI * FINER / 72 for size in (0.6 * LETTER_PT, LINE_PT))
    tall = _size_in(low, high)[1] * 72 / (1.15 * LINE_PT)
    names = names_on(seen, [p.name for p in picture.placed], (letter[0], letter[1]), 2 * int(tall))
    _write_names(axes, names, low, high, int(tall))


def _with_outlines(seen: Cut, palette: Floats) -> Floats:
    """Return the colours of a cut, darker where parts end."""
    parts = seen.parts
    image = palette[np.where(parts == NOTHING, len(palette) - 1, parts)]
    edge = np.zeros(parts.shape, bool)
    edge[:, 1:] |= parts[:, 1:] != parts[:, :-1]
    edge[1:] |= parts[1:] != parts[:-1]
    image[edge] = 0.55 * image[edge]
    return image


def _draw_rays(axes: Axes, picture: Picture, plane: Plane) -> None:
    for line in edge_lines(picture.modules, picture.placed, plane):
        axes.plot(*line.points_mm.T, ls=(0, (5, 3)), lw=0.9, color=RAY, zorder=3)
        if line.says:
            axes.annotate(line.says, line.points_mm[-1], xytext=(0, -3), textcoords="offset points", size=6.5, color=RAY,
                          ha="center", va="top", zorder=4, path_effects=[withStroke(linewidth=2, foreground="white")],
                          annotation_clip=True)  # fmt: skip


def _write_names(axes: Axes, names: Sequence[Name], low: tuple[float, float], high: tuple[float, float],
                 lines: int) -> None:  # fmt: skip
    halo = [withStroke(linewidth=1.8, foreground="white")]
    for name in names:
        if name.inside:
            axes.text(*name.at_mm, name.text, size=LETTER_PT, color=INK, ha="center", va="center", family="monospace",
                      rotation=90 if name.upright else 0, path_effects=halo, zorder=5, clip_on=True)  # fmt: skip
    middle = (low[0] + high[0]) / 2
    for side in (-1, 1):
        here = [name for name in names if not name.inside and (name.at_mm[0] >= middle) == (side > 0)]
        _write_beside(axes, sorted(here, key=lambda name: name.at_mm[1]), side, low, high, lines)


def _write_beside(axes: Axes, names: Sequence[Name], side: int, low: tuple[float, float], high: tuple[float, float],
                  lines: int) -> None:  # fmt: skip
    """Write names in a column beside the panel, at the height of their parts as far as there is room."""
    if not names:
        return
    step = 1.0 / lines
    wanted = np.array([(name.at_mm[1] - low[1]) / (high[1] - low[1]) for name in names[:lines]])
    for name, height in zip(names, spread(wanted, step), strict=False):
        at = (1.02, height) if side > 0 else (-0.02 - 0.45 / _size_in(low, high)[0], height)
        axes.annotate(
            name.text, name.at_mm, xytext=at, textcoords="axes fraction", size=LETTER_PT, color=INK, va="center",
            ha="left" if side > 0 else "right", annotation_clip=False, zorder=6,
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
