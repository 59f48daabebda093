"""One hash over all that shaped a model."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from dosewright.commissioning.site.catalog import Library
from dosewright.commissioning.site.content_hash import content_hash, materials_of, model_hash, table_hash
from dosewright.core.matter import Material
from dosewright.core.solids import Box, Device, Solid
from dosewright.materials.library import named

PUTTY = Material("Putty", 1.5, {1: 0.1, 8: 0.9})


def test_one_file_alone_has_its_own_hash(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert content_hash((path,)) == sha256(b"abc").hexdigest()


def test_every_part_counts(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("1")
    second.write_text("2")
    heavier = replace(PUTTY, density_g_cm3=1.6)
    wetter = replace(PUTTY, mass_fractions={1: 0.11, 8: 0.89})
    brighter = replace(PUTTY, mean_excitation_eV=70.0)
    found = [
        content_hash((first,)), content_hash((second,)), content_hash((first, second)), content_hash((second, first)),
        *(content_hash((first,), [one]) for one in (PUTTY, heavier, wetter, brighter)), content_hash((), [PUTTY]),
    ]  # fmt: skip
    assert len(set(found)) == len(found)
    assert content_hash((first,), [PUTTY, heavier]) == content_hash((first,), [heavier, PUTTY, PUTTY])


def test_media_of_nozzle_devices_and_tunes_count() -> None:
    model = replace(Library.open().beam_model("generic"), range_shifters={})
    assert materials_of(model) == []
    assert model_hash(model) == model.sha256
    slab = Solid("slab", Box((1.0, 1.0, 1.0)), PUTTY, 1.5)
    hole = Solid("hole", Box((1.0, 1.0, 1.0)), None, 0.0)
    device = Device("d", "range_shifter", (slab, hole))
    nozzle = Device("n", "nozzle", (replace(slab, material=named("G4_Cu")),))
    for whole in (
        replace(model, nozzle=nozzle),
        replace(model, devices={"d": device}),
        replace(model, tunes={"1": replace(model, devices={"d": device})}),
    ):
        assert materials_of(whole)
        assert model_hash(whole) != model.sha256
    table = Library.open().ct_protocol("generic")
    assert table_hash(table) != table_hash(replace(table, materials=table.materials[::-1], sha256="other"))
