"""Mistakes in a site's library, ours or IDEAL's, against the rights of a role, and in measurements for a fit."""

from collections.abc import Callable

from tests.journey.bench import FIT, IDEAL, LIBRARY, PATIENT, RIGHTS, Bench, Mistake

LINE = "commissioning/beamlines/IR2/"
USERS = """override_materials = ["G4_WATER"]
[[user]]
acronym = "JD"
name = "jane"
role = "{role}"
system_user = "{account}"
"""
CONFIGURATION = 'default_ct_protocol = "generic"\n[[machine]]\nname = "GENERIC"\nbeam_model = "room1"\n'


def in_site(file: str, old: str, new: str) -> Callable[[Bench], list[str]]:
    """Return the maker of a mistake in a library of our own form, found by `dosewright check`."""

    def make(bench: Bench) -> list[str]:
        path = bench.site() / file
        text = path.read_text()
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1))
        return bench.checked(bench.folder / "site")

    return make


def in_ideal(file: str, old: str, new: str) -> Callable[[Bench], list[str]]:
    """Return the maker of a mistake in a tree of IDEAL, found by `dosewright check`."""
    return lambda bench: bench.checked(bench.ideal((file, old, new)))


def with_protocols(**protocols: str) -> Callable[[Bench], list[str]]:
    """Return the maker of a calculation with CT protocols by name, each for the CTs of one manufacturer."""

    def make(bench: Bench) -> list[str]:
        site = bench.site()
        table = (site / "ct" / "head.toml").read_text()
        (site / "ct" / "head.toml").unlink()
        for name, manufacturer in protocols.items():
            text = table.replace('name = "generic"', f'name = "{name}"', 1)
            (site / "ct" / f"{name}.toml").write_text(f'{text}\n[match]\nManufacturer = "{manufacturer}"\n')
        return bench.calc("-s", site)

    return make


def in_role(bench: Bench, role: str, account: str | None = None) -> None:
    """Make the site's own library that of a user jane in a role; by default it is who runs this."""
    site = bench.site(library_toml=CONFIGURATION)
    told = USERS.format(role=role, account=account or bench.account)
    (site / "settings.toml").write_text(told)
    bench.takes(site)


def as_role(role: str, *arguments: str, account: str | None = None) -> Callable[[Bench], list[str]]:
    """Return the maker of a calculation that is asked for by somebody in a role."""

    def make(bench: Bench) -> list[str]:
        in_role(bench, role, account)
        return bench.calc(*arguments)

    return make


def approving(role: str, *arguments: str) -> Callable[[Bench], list[str]]:
    """Return the maker of an approval that is asked for by somebody in a role."""

    def make(bench: Bench) -> list[str]:
        in_role(bench, role)
        return bench.refused("approve", *arguments)

    return make


MEASUREMENTS = """name = "room1"
plane_mm = 500.0
scanning_mm = [2000.0, 2500.0]
[depth_dose]
file = "depth.csv"
[spots]
file = "spots.csv"
"""
TITLES = "nominal_MeV,depth_mm,dose\n"
DEPTH, DEPTH_CM = (
    TITLES + "".join(f"100,{step * k:g},{1 + 0.05 * k if k < 15 else 0.1}\n" for k in range(18)) for step in (5, 0.5)
)
SPOTS = "nominal_MeV,z_mm,sigma_x_mm,sigma_y_mm\n" + "".join(
    f"100,{z},{s},{s}\n" for z, s in ((-200, 4), (0, 4.5), (200, 5))
)


def in_measurements(file: str, old: str, new: str) -> Callable[[Bench], list[str]]:
    """Return the maker of a mistake in what a beam model is fitted to."""

    def make(bench: Bench) -> list[str]:
        texts = {"measurements.toml": MEASUREMENTS, "depth.csv": DEPTH, "spots.csv": SPOTS}
        assert old in texts[file], f"{old!r} is not in {file}"
        for name, text in texts.items():
            (bench.folder / name).write_text(text.replace(old, new, 1) if name == file else text)
        return bench.refused("fit", "beam", bench.folder / "measurements.toml", "-o", bench.folder / "model")

    return make


MISTAKES = [
    Mistake(PATIENT, "a CT that two protocols claim", with_protocols(head="Dosewright", body="Dosewright"), "`-c`"),
    Mistake(PATIENT, "a CT that no protocol claims", with_protocols(head="Another", body="Third"), "`-c`"),
    Mistake(LIBRARY, "`air_margin_cm` in settings.toml", in_site("settings.toml", "air_margin_mm", "air_margin_cm")),
    Mistake(LIBRARY, "a text for a number", in_site("settings.toml", "12.0", '"12 mm"')),
    Mistake(
        LIBRARY,
        "goals out of order",
        in_site(
            "settings.toml",
            "[calculation]",
            "[goals.primaries]\nmin = 1e6\ndefault = 1e5\nmax = 1e9\nstep = 1\n[calculation]",
        ),
    ),
    Mistake(
        LIBRARY,
        "both thresholds of a gamma",
        in_site(
            "settings.toml",
            "air_margin_mm = 12.0",
            "gamma = [{distance_mm = 2.0, dose_percent = 2.0, threshold_Gy = 0.5, threshold_percent = 10.0}]",
        ),
    ),
    Mistake(LIBRARY, "a typo in a beam model's name", in_site("library.toml", '"room1"', '"rom1"')),
    Mistake(
        LIBRARY,
        "a machine twice",
        in_site("library.toml", "[[machine]]", '[[machine]]\nname = "tr1"\nbeam_model = "room1"\n[[machine]]'),
    ),
    Mistake(
        LIBRARY,
        "a default CT protocol that is not there",
        in_site("library.toml", 'name = "our clinic"', 'default_ct_protocol = "genric"'),
    ),
    Mistake(
        LIBRARY,
        "a value too few in a beam model",
        in_site("beam_models/room1.toml", "sigma_MeV = [0.7, ", "sigma_MeV = ["),
    ),
    Mistake(
        LIBRARY,
        "a column of a beam model given twice",
        in_site("beam_models/room1.toml", "[energy]", "[energy]\nsigma_MeV = [1.0]"),
    ),
    Mistake(LIBRARY, "an element that does not exist", in_site("materials.toml", "Oxygen", "Oxigen")),
    Mistake(
        LIBRARY,
        "`G4_Water` among the materials for overrides",
        in_site("settings.toml", "[calculation]", 'override_materials = ["G4_Water"]\n[calculation]'),
    ),
    Mistake(
        LIBRARY,
        "voxels that do not fill a phantom",
        in_site("phantoms/water_box.toml", "voxel_mm = [2.0", "voxel_mm = [3.0"),
    ),
    Mistake(IDEAL, "a wrong unit in a label", in_ideal("cfg/system.cfg", "Air box margin [mm]", "Air box margin [cm]")),
    Mistake(IDEAL, "a typo in a label", in_ideal("cfg/system.cfg", "RBE factor protons", "RBE factor protns")),
    Mistake(IDEAL, "a density given twice", in_ideal("cfg/system.cfg", "PMMA = 1.195", "PMMA = 1.19")),
    Mistake(IDEAL, "a material in another case", in_ideal("cfg/system.cfg", "G4_WATER = 1.0", "G4_Water = 1.0")),
    Mistake(IDEAL, "a typo in the machine of a correction", in_ideal("cfg/system.cfg", "IR2 proton", "IR22 proton")),
    Mistake(IDEAL, "an unknown role", in_ideal("cfg/system.cfg", "obiwan = clinical", "obiwan = clinicl")),
    Mistake(
        IDEAL, "a goal out of order", in_ideal("cfg/system.cfg", "0.1 1. 99.", "0.1 100. 99."), about="cannot be used"
    ),
    Mistake(
        IDEAL,
        "a missing database of materials",
        in_ideal("cfg/system.cfg", "Clinic.db", "Clinics.db"),
        about="database",
    ),
    Mistake(IDEAL, "a missing density table", in_ideal("commissioning/CT/hlut.conf", "curve.txt", "curves.txt")),
    Mistake(
        IDEAL,
        "a wrong column count in Schneider's table",
        in_ideal("commissioning/CT/composition/tissues.txt", "45.0 2.5", "45.0"),
    ),
    Mistake(IDEAL, "intervals with a gap", in_ideal("commissioning/CT/hlut.conf", "-500,3000", "-400,3000")),
    Mistake(IDEAL, "a keyword that DICOM does not have", in_ideal("commissioning/CT/hlut.conf", "KVP", "KPV")),
    Mistake(
        IDEAL, "two protocols for the same CT", in_ideal("commissioning/CT/hlut.conf", '"QA"', '"Head"\nKVP = 120')
    ),
    Mistake(
        IDEAL,
        "a letter O for a zero in source properties",
        in_ideal(f"{LINE}IR2_PROTON_source_properties.txt", "6700", "67OO"),
    ),
    Mistake(
        IDEAL,
        "a coefficient too few",
        in_ideal(f"{LINE}IR2_PROTON_source_properties.txt", "1\n1.0\n0.5\n", "2\n1.0\n0.5\n"),
    ),
    Mistake(
        IDEAL,
        "a command that shapes the beam and is not understood",
        in_ideal(f"{LINE}IR2_beamline_details.mac", "/control/execute ./data/chamber.mac", "/gate/source/addSource x"),
    ),
    Mistake(
        IDEAL,
        "a macro that is not in the library",
        in_ideal(f"{LINE}IR2_beamline_details.mac", "./data/chamber.mac", "../../../chamber.mac"),
    ),
    Mistake(
        IDEAL,
        "an alias that is not there",
        in_ideal("commissioning/beamlines/common/chamber.mac", "300 mm", "{width} mm"),
    ),
    Mistake(IDEAL, "a phantom without its geometry", in_ideal("commissioning/phantoms/lung.cfg", "", "[dose grid]\n")),
    Mistake(
        IDEAL,
        "a phantom's size given twice",
        in_ideal("commissioning/phantoms/water_box.mac", "ZLength 100", "ZLength 120"),
    ),
    Mistake(RIGHTS, "clinical, `-z room1`", as_role("clinical", "-z", "room1"), about="-z"),
    Mistake(RIGHTS, "clinical, a beam model without approval", as_role("clinical"), about="room1"),
    Mistake(RIGHTS, "clinical, `-u 0.01`", as_role("clinical", "-u", "0.01"), about="goals"),
    Mistake(
        RIGHTS,
        "clinical, a material that the site does not list",
        as_role("clinical", "-m", "Cord:G4_BONE_CORTICAL_ICRP"),
        about="override",
    ),
    Mistake(
        RIGHTS,
        "a role that is not given: `-l jane:admin`",
        as_role("clinical", "-l", "jane:admin"),
        about="do not give",
    ),
    Mistake(RIGHTS, "another's account: `-l jane`", as_role("clinical", "-l", "jane", account="jane"), about="account"),
    Mistake(RIGHTS, "clinical, `approve room1`", approving("clinical", "room1")),
    Mistake(RIGHTS, "commissioning, `approve rom1`", approving("commissioning", "rom1")),
    Mistake(FIT, "depths in cm under the title depth_mm", in_measurements("depth.csv", DEPTH, DEPTH_CM)),
    Mistake(FIT, "an unknown column", in_measurements("depth.csv", "depth_mm", "depth_inch"), about="depth_inch"),
    Mistake(FIT, "a wrong column count", in_measurements("depth.csv", "100,5,1.05", "100,5")),
    Mistake(FIT, "spot sizes at too few planes", in_measurements("spots.csv", "100,200,5,5\n", "")),
    Mistake(FIT, "a missing table", in_measurements("measurements.toml", "depth.csv", "depths.csv")),
    Mistake(FIT, "a typo in a key", in_measurements("measurements.toml", "plane_mm", "plane_m"), about="Unknown key"),
]
