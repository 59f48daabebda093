"""The phase spaces that a run file asks for: one for each plane."""

from dosewright.simulation.extra_information import IGNORED, Chosen, ExtraWish
from dosewright.simulation.phase_space_files import TEXT, PhaseSpaceWish
from dosewright.simulation.planes import RECORDABLE, Plane, ReusePlane
from dosewright.simulation.run_file.score_tables import Score
from dosewright.simulation.run_file.tables import RunFile

DEFAULT_FORMAT = "iaea"


def wishes_of(run_file: RunFile) -> tuple[PhaseSpaceWish, ...]:
    """Return what is to be recorded, in the order of the scores and of their planes."""
    return tuple(wish for score in run_file.score if score.quantity == "phase_space" for wish in wishes_of_score(score))


def reuse_of(run_file: RunFile) -> ReusePlane | None:
    """Return the plane at which particles are used again, if any."""
    table = run_file.variance_reduction.reuse_at_plane
    return None if table is None else ReusePlane(table.z_mm, table.n, table.mirror, table.normal[2])


def wishes_of_score(score: Score) -> tuple[PhaseSpaceWish, ...]:
    """Return the phase spaces of one score; with `kill` the last of its planes ends what goes forward."""
    planes = planes_of(score)
    formats = [score.format or DEFAULT_FORMAT, *([TEXT] if score.text else [])]
    return tuple(
        PhaseSpaceWish(
            plane,
            name,
            tuple(dict.fromkeys(formats)),
            store_z=bool(score.store_z),
            save_every=score.save_every,
            most_particles=score.most_particles,
            histograms=score.histograms or (),
            limits=score.histogram_axes or {},
            extra=extra_of(score),
            chosen=chosen_of(score),
            by_origin=score.classify == "origin",
        )
        for plane, name in zip(planes, names_of_planes(score), strict=True)
    )


def extra_of(score: Score) -> ExtraWish:
    """Return what a phase space is asked to hold of the past of its particles."""
    ignored = IGNORED if score.ignore_materials is None else score.ignore_materials
    bits = {str(word): number for word, number in (score.extra_bits or {}).items()}
    return ExtraWish(score.extra or (), bits, ignored)


def chosen_of(score: Score) -> Chosen:
    """Return which particles a phase space is asked to hold."""
    return Chosen() if score.filter is None else Chosen(**score.filter.model_dump())


def planes_of(score: Score) -> tuple[Plane, ...]:
    """Return the planes of a score of phase spaces."""
    backwards, kill = bool(score.backwards), bool(score.kill)
    particles = score.particles or RECORDABLE
    if score.plane_mm is not None:
        return (Plane(score.plane_mm, score.normal or (0.0, 0.0, 1.0), backwards, kill, particles),)
    up = 1.0 if score.normal is None else score.normal[2]
    heights = score.z_mm or ()
    last = max(heights, key=lambda z: z * up, default=0.0)
    return tuple(Plane((0.0, 0.0, z), (0.0, 0.0, up), backwards, kill and z == last, particles) for z in heights)


def names_of_planes(score: Score) -> tuple[str, ...]:
    """Return the names of the files of each plane: with its z where there are several, or where the name says so."""
    heights = score.z_mm or (() if score.plane_mm is None else (score.plane_mm[2],))
    name = score.file_name
    if len(heights) > 1 and "{z}" not in name:
        name += "_{z}"
    return tuple(name.replace("{z}", f"{z:.12g}") for z in heights)
