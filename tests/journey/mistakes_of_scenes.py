"""Mistakes in scene files, geometry text of GAMOS and run files with scenes, and in the commands that look at them."""

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.journey.bench import GAMOS, SCENE, SCENE_RUN, Bench, Mistake

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
JAWS, HEAD, TUBE = "jaws.toml", "linac_6MV.toml", "xray_tube.toml"
WORLD = ":VOLU world BOX 2*m 2*m 2*m G4_AIR\n:ROTM R0 0. 0. 0.\n"
FOIL, RING = 'name = "monitor foil"', 'name = "primary collimator"'


def changed(bench: Bench, file: str, *changes: tuple[str, str]) -> Path:
    """Return an example in a copy of the examples, changed: what stands there, what is put there."""
    shutil.copytree(EXAMPLES, bench.folder / "examples")
    path = bench.folder / "examples" / file
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, f"{old!r} is not in {file}"
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    return path


def in_scene(*changes: tuple[str, str]) -> Callable[[Bench], list[str]]:
    """Return the maker of a mistake in the scene of jaws that its reader refuses."""
    return lambda bench: bench.refused("scene", "check", changed(bench, "scenes/simple_jaws.toml", *changes))


def among_parts(*changes: tuple[str, str]) -> Callable[[Bench], list[str]]:
    """Return the maker of a mistake in the scene of jaws that the check of its parts finds."""

    def make(bench: Bench) -> list[str]:
        path = changed(bench, "scenes/simple_jaws.toml", *changes)
        ended = bench.whole_case.run("scene", "check", str(path))
        assert ended.returncode == 2, ended.stdout
        return [line.removeprefix("  - ") for line in ended.stdout.splitlines() if line.startswith("  - ")]

    return make


def drawn(*arguments: str) -> Callable[[Bench], list[str]]:
    """Return the maker of a mistake in asking for a picture of the scene of jaws."""
    return lambda bench: bench.refused("scene", "draw", changed(bench, "scenes/simple_jaws.toml"), *arguments)


def in_text(text: str) -> Callable[[Bench], list[str]]:
    """Return the maker of a mistake in geometry text."""

    def make(bench: Bench) -> list[str]:
        path = bench.folder / "head.geom"
        path.write_text(text, encoding="utf-8")
        return bench.refused("scene", "check", path)

    return make


def in_run(file: str, *changes: tuple[str, str]) -> Callable[[Bench], list[str]]:
    """Return the maker of a mistake in a run file with a scene."""
    return lambda bench: bench.refused(
        "simulate", changed(bench, f"run_files/{file}", *changes), "-o", bench.folder / "out"
    )


MISTAKES = [
    Mistake(SCENE, "a negative thickness", in_scene(("length_mm = 60.0", "length_mm = -60.0"))),
    Mistake(SCENE, "a hole wider than its tube", in_scene(("lower_inner_mm = 28.0", "lower_inner_mm = 68.0"))),
    Mistake(SCENE, "jaws that cross", in_scene(("negative_mm = -50.0", "negative_mm = 60.0"))),
    Mistake(
        SCENE,
        "the circle of a tip that does not reach its faces",
        in_scene(
            (
                '{ kind = "STRAIGHT", travel_radius_mm = 320.0 }',
                '{ kind = "ROUND", radius_mm = 30, half_value_mm = 12 }',
            )
        ),
    ),
    Mistake(SCENE, "a typo in a kind of module", in_scene(('kind = "jaws"', 'kind = "jaw"')), about="kind"),
    Mistake(SCENE, "a part with two shapes", in_scene(("tube = {", "sphere = { radius_mm = 3 }\ntube = {"))),
    Mistake(SCENE, "a typo in a material", in_scene(("G4_KAPTON", "G4_KAPTN"))),
    Mistake(SCENE, "a parent that is not there", in_scene((FOIL, f'{FOIL}\nparent = "head"'))),
    Mistake(
        SCENE,
        "parts that lie in each other",
        in_scene((FOIL, f'{FOIL}\nparent = "primary collimator"'), (RING, f'{RING}\nparent = "monitor foil"')),
    ),
    Mistake(SCENE, "parts that overlap", among_parts(("860.0]", "890.0]"))),
    Mistake(
        SCENE,
        "a part that reaches out of its parent",
        among_parts((FOIL, f'{FOIL}\nparent = "primary collimator"'), ("860.0]", "-30.0]")),
    ),
    Mistake(SCENE, "`scene draw`: a picture that is no PNG", drawn("-o", "jaws.jpg"), "`-o jaws.png`"),
    Mistake(SCENE, "`scene draw --plane q=3`", drawn("-o", "jaws.png", "--plane", "q=3")),
    Mistake(
        GAMOS,
        "a half-value layer where the name of a file belongs",
        in_text(
            WORLD + ":MODULE JAWS jaws\n  X ROUND_DISP_POSFILE 60. 110. 39. 80. 39. 12.\n"
            "  0. -410. -100.*cm -5.*cm 5.*cm G4_W world\n"
        ),
    ),
    Mistake(
        GAMOS,
        "a length times a unit of length",
        in_text(f":P L 5*cm\n{WORLD}:VOLU ball ORB $L*cm G4_W\n:PLACE ball 1 world R0 0. 0. 0.\n"),
    ),
    Mistake(
        GAMOS,
        "an angle with its unit in a parameter",
        in_text(f":P A 90*deg\n{WORLD}:ROTM R1 $A 0. 0.\n:VOLU a ORB 5*cm G4_W\n:PLACE a 1 world R1 0. 0. 0.\n"),
    ),
    Mistake(
        GAMOS,
        "a typo in a parameter",
        in_text(f":P HALF 5*cm\n{WORLD}:VOLU a ORB $HALV G4_W\n:PLACE a 1 world R0 0. 0. 0.\n"),
    ),
    Mistake(GAMOS, "volumes made by `:REPL`", in_text(f"{WORLD}:VOLU a ORB 5*cm G4_W\n:REPL a world X 3 50.\n")),
    Mistake(
        SCENE_RUN,
        "a phantom that a jaw reaches into",
        in_run(JAWS, ("[0, 0, 100]", "[0, 0, 700]")),
        "`origin_mm`",
        "jaws X_negative",
    ),
    Mistake(
        SCENE_RUN,
        "a typo in the name of a region",
        in_run(JAWS, ('name = "heavy alloy"', 'name = "heavy aloy"')),
    ),
    Mistake(
        SCENE_RUN,
        "two ways of splitting",
        in_run(HEAD, ("directional =", "bremsstrahlung_splitting = 100\ndirectional =")),
    ),
    Mistake(
        SCENE_RUN,
        "the electron plane on the field",
        in_run(HEAD, ("electron_plane_mm = -830", "electron_plane_mm = 0")),
    ),
    Mistake(
        SCENE_RUN,
        "splitting of bremsstrahlung without a scene",
        in_run("target.toml", ("[goal]", "[variance_reduction]\nbremsstrahlung_splitting = 10\n[goal]")),
    ),
    Mistake(
        SCENE_RUN,
        "`photon_splitting` in a scene",
        in_run(JAWS, ("[goal]", "[variance_reduction]\nphoton_splitting = 16\n[goal]")),
        "`bremsstrahlung_splitting`, `directional`",
    ),
    Mistake(
        SCENE_RUN,
        "a file of limits that is not there",
        in_run(HEAD, ("[goal]", 'xy_limits = "limits.dat"\n[goal]')),
    ),
    Mistake(
        SCENE_RUN,
        "a dose without voxels",
        in_run(TUBE, ('quantity = "spectrum"', 'quantity = "dose"')),
        about="no voxels",
    ),
]
