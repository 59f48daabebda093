"""What is declared of DICOM attributes is what the code reads and writes: by its syntax tree, and while it runs."""

import ast
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

import dosewright.formats.dicom as dicom_room
from dosewright.core.grid import Image
from dosewright.core.plan import Block, Compensator, IonPlan, RangeModulatorSetting
from dosewright.core.structures import StructureSet
from dosewright.formats.dicom import conformance_table, ct
from dosewright.formats.dicom.attributes import Attributes
from dosewright.formats.dicom.conformance import ANY_OTHER, EVERY_OBJECT
from dosewright.formats.dicom.conformance_table import READS, WRITES
from dosewright.formats.dicom.dose import DoseLabel, write_dose
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.ion_plan import write_ion_plan
from dosewright.formats.dicom.sop_classes import CT_IMAGE, RT_DOSE, RT_ION_PLAN, RT_STRUCTURE_SET
from dosewright.formats.dicom.structures import write_structures
from dosewright.formats.dicom.study import Chosen, find_study

ROOT = Path(__file__).resolve().parents[3]
PREFIX = "dosewright.formats.dicom."
NO_KEYWORDS = {"", "UID"}  # a word in our code before it is a keyword of DICOM
MODULES = [importlib.import_module(f"{PREFIX}{m.name}") for m in pkgutil.iter_modules(dicom_room.__path__)]


def is_keyword(text: object) -> bool:
    return isinstance(text, str) and text not in NO_KEYWORDS and tag_for_keyword(text) is not None


def code_of(module: ModuleType) -> list[ast.stmt]:
    """The statements of a module without its declarations."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))

    def declares(statement: ast.stmt) -> bool:
        return isinstance(statement, ast.AnnAssign) and getattr(statement.target, "id", "") in ("READS", "WRITES")

    return [statement for statement in tree.body if not declares(statement)]


def named(module: ModuleType) -> set[str]:
    """The keywords that the code names as text: those it passes to `Attributes`, and those it loops over."""
    nodes = (node for statement in code_of(module) for node in ast.walk(statement))
    return {n.value for n in nodes if isinstance(n, ast.Constant) and is_keyword(n.value)}


def assigned(module: ModuleType) -> set[str]:
    """The keywords that the code sets in a data set."""
    nodes = (node for statement in code_of(module) for node in ast.walk(statement))
    return {
        n.attr for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) and is_keyword(n.attr)
    }


def taken(module: ModuleType) -> set[str]:
    """The keywords that the code reads as ``dataset.Keyword``."""
    nodes = (node for statement in code_of(module) for node in ast.walk(statement))
    return {
        n.attr for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Load) and is_keyword(n.attr)
    }


def keywords_of(rows: tuple[Any, ...]) -> set[str]:
    return {keyword for row in rows for keyword in row.path.split("/")} - {ANY_OTHER}


def reads_of(module: ModuleType) -> set[str]:
    return keywords_of(getattr(module, "READS", ()))


def writes_of(module: ModuleType) -> set[str]:
    return keywords_of(getattr(module, "WRITES", ()))


def around(module: ModuleType) -> set[str]:
    """All keywords declared by a module, those of the sequences around among them."""
    rows = (*getattr(module, "READS", ()), *getattr(module, "WRITES", ()))
    return {keyword for row in rows for keyword in row.whole_path.split("/")}


def imported(module: ModuleType) -> list[ModuleType]:
    """The modules of this room that a module takes something from."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    names = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and (n.module or "").startswith(PREFIX)}
    return [m for m in MODULES if m.__name__ in names]


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__.removeprefix(PREFIX))
def test_the_code_names_what_it_declares_and_nothing_else(module: ModuleType) -> None:
    """A keyword may also be declared by the module that the code took the value from."""
    if module is conformance_table:
        return
    never_read = set(ct.PERSONAL_KEYWORDS) if module is ct else set()
    near = set().union(*(around(m) for m in [module, *imported(module)]))
    assert named(module) - never_read - near == set(), "named by the code, not declared"
    nearby = set().union(named(module), *(named(m) for m in imported(module)))
    assert reads_of(module) - nearby == set(), "declared as read, not named by the code"
    assert assigned(module) - writes_of(module) == set(), "set by the code, not declared as written"
    assert writes_of(module) - assigned(module) - named(module) == set(), "declared as written, not set by the code"
    made_here = set().union(writes_of(module), *(writes_of(m) for m in imported(module)))
    assert taken(module) - made_here == set(), "read past `Attributes`"


def test_every_declaration_is_in_the_table() -> None:
    assert [m for m in MODULES if hasattr(m, "READS")] == sorted(
        [*conformance_table.READERS, conformance_table], key=lambda m: m.__name__
    )
    assert [m for m in MODULES if hasattr(m, "WRITES")] == sorted(
        [*conformance_table.WRITERS, conformance_table], key=lambda m: m.__name__
    )


@cache
def definitions(file: Path) -> dict[str, tuple[str, set[str]]]:
    """What a test file defines at its top: the text of each, and the names that it uses."""
    text = file.read_text(encoding="utf-8")
    found = {}
    for node in ast.parse(text).body:
        start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        source = "\n".join(text.splitlines()[start - 1 : node.end_lineno])
        used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        used |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        for name in [getattr(node, "name", ""), *(getattr(target, "id", "") for target in targets)]:
            found[name] = (source, used)
    return found


def text_of(test: str) -> str:
    """The text of a test with everything of its file that it uses."""
    file, name = test.split("::")
    known, todo, seen = definitions(ROOT / file), [name], dict[str, str]()
    while todo:
        one = todo.pop()
        if one in known and one not in seen:
            seen[one], used = known[one]
            todo += used
    return "\n".join(seen.values())


@pytest.mark.parametrize("test", sorted({read.test_path for read in READS}))
def test_every_named_test_exists(test: str) -> None:
    file, name = test.split("::")
    assert name.startswith("test_")
    assert name in definitions(ROOT / file), test


@pytest.mark.parametrize("read", READS, ids=lambda read: read.whole_path)
def test_the_test_speaks_of_the_attribute(read: Any) -> None:
    """A test that neither names the keyword nor uses what names it proves something else."""
    keyword = read.path.split("/")[-1]
    assert read.use
    assert keyword == ANY_OTHER or keyword in text_of(read.test_path), f"{read.test_path} does not name {keyword}"


@pytest.mark.parametrize("row", [*READS, *WRITES], ids=lambda row: row.whole_path)
def test_every_path_is_of_dicom(row: Any) -> None:
    *sequences, last = row.whole_path.split("/")
    assert row.objects
    assert last == ANY_OTHER or is_keyword(last)
    for keyword in sequences:
        assert pydicom.datadict.dictionary_VR(keyword) == "SQ"


def paths(dataset: Dataset, before: str = "") -> Iterator[str]:
    """All attributes of an object by their path."""
    for element in dataset:
        path = f"{before}{element.keyword}"
        yield path
        for item in element.value if element.VR == "SQ" else ():
            yield from paths(item, f"{path}/")


class Watch:
    """Records which attributes `Attributes` finds and returns, by kind of object and path."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: dict[str, set[str]] = {}
        self._places: dict[int, tuple[str, str]] = {}
        self._kept: list[Dataset] = []  # so that no number of `id` is given twice
        value, unconverted, items = Attributes.value, Attributes._unconverted, Attributes.items

        def note(here: Attributes, keyword: str) -> None:
            if keyword in here.dataset:
                kind, before = self._place(here.dataset)
                self.seen.setdefault(kind, set()).add(before + keyword)

        def watched_value(here: Attributes, keyword: str) -> Any:
            note(here, keyword)
            return value(here, keyword)

        def watched_unconverted(here: Attributes, keyword: str) -> Any:
            note(here, keyword)
            return unconverted(here, keyword)

        def watched_items(here: Attributes, keyword: str) -> tuple[Attributes, ...]:
            found = items(here, keyword)
            kind, before = self._place(here.dataset)
            for item in found:
                self._kept.append(item.dataset)
                self._places[id(item.dataset)] = (kind, f"{before}{keyword}/")
            return found

        monkeypatch.setattr(Attributes, "value", watched_value)
        monkeypatch.setattr(Attributes, "_unconverted", watched_unconverted)
        monkeypatch.setattr(Attributes, "items", watched_items)
        monkeypatch.setattr(ct, "protocol_keywords", lambda dataset: {})  # it reads what is declared as any other

    def _place(self, dataset: Dataset) -> tuple[str, str]:
        if id(dataset) not in self._places:
            self._kept.append(dataset)
            self._places[id(dataset)] = (str(dataset.SOPClassUID), "")
        return self._places[id(dataset)]


NOT_FROM_ATTRIBUTES = {ANY_OTHER, "TransferSyntaxUID"}  # the one stands for many, the other is of the file's header


def change(path: Path, edit: Callable[[Dataset], Any]) -> None:
    dataset = pydicom.dcmread(path)
    edit(dataset)
    dataset.save_as(path)


@pytest.fixture
def study(
    tmp_path: Path, ion_plan: IonPlan, structures: StructureSet, ct_image: Image, identity: Identity
) -> dict[str, Path]:
    """One object of each kind, with all that our writers can write."""
    ct_series = ct.write_ct(tmp_path, ct_image, identity)
    files = {CT_IMAGE: tmp_path / "CT_0001.dcm"}
    files |= {kind: tmp_path / f"{kind}.dcm" for kind in EVERY_OBJECT if kind != CT_IMAGE}
    write_structures(files[RT_STRUCTURE_SET], structures, ct_series, identity)
    outline, thickness = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.ones((2, 2))
    full = replace(
        ion_plan.beams[0],
        blocks=(Block("A1", 1, "APERTURE", "BRASS", 65.0, 95.5, "SOURCE_SIDE", False, outline),),
        compensators=(
            Compensator("C1", 1, "PMMA", 60.5, "DOUBLE_SIDED", False, thickness, (4.5, 5.25), (-7.5, 8.25), 2.5,
                        100 + thickness, 1.16, 4.75),
        ),
        range_modulators=(RangeModulatorSetting("M1", 1, "FIXED", 520.5),),
    )  # fmt: skip
    ions = replace(ion_plan.beams[1], radiation="ION_6_12_6")
    write_ion_plan(files[RT_ION_PLAN], replace(ion_plan, beams=(full, ions)), identity)
    label = DoseLabel("PHYSICAL", "BEAM", ion_plan.uid, 1, 1, "beam", "said", manufacturer="TPS")
    write_dose(files[RT_DOSE], Image(ct_image.grid, abs(ct_image.values)), label, identity)
    return files


def with_sequences(whole_paths: set[str]) -> set[str]:
    """The paths and those of the sequences around."""
    return {"/".join(path.split("/")[:depth]) for path in whole_paths for depth in range(1, path.count("/") + 2)}


def one_frame(dose: Dataset) -> None:
    """The last frame of a dose alone: the only case in which its thickness is read."""
    dose.PixelData = dose.pixel_array[-1:].tobytes()
    dose.NumberOfFrames = 1
    del dose.GridFrameOffsetVector


def everything(plan: Dataset) -> None:
    """What a plan may have that our writer does not write."""
    beam = plan.IonBeamSequence[0]
    beam.IonControlPointSequence[0].NominalBeamEnergyUnit = "MEV"
    beam.TotalBlockTrayWaterEquivalentThickness = beam.TotalCompensatorTrayWaterEquivalentThickness = 0.0
    add_items(beam, ReferencedBolusSequence="ReferencedROINumber", GeneralAccessorySequence="GeneralAccessoryID")


def what_is_not_calculated(plan: Dataset) -> None:
    beam = plan.IonBeamSequence[0]
    add_items(
        beam,
        IonWedgeSequence="WedgeID",
        IonBeamLimitingDeviceSequence="RTBeamLimitingDeviceType",
        LateralSpreadingDeviceSequence="LateralSpreadingDeviceID",
    )
    beam.LateralSpreadingDeviceSequence[0].LateralSpreadingDeviceType = "SCATTERER"


def add_items(beam: Dataset, **sequences: str) -> None:
    for sequence, keyword in sequences.items():
        setattr(beam, sequence, [Dataset()])
        setattr(getattr(beam, sequence)[0], keyword, "1")


@pytest.mark.parametrize("kind", EVERY_OBJECT)
def test_what_is_written_is_what_is_declared(study: dict[str, Path], kind: str) -> None:
    dataset = pydicom.dcmread(study[kind])
    there = {*paths(dataset), *paths(dataset.file_meta)} - {
        "FileMetaInformationGroupLength",
        "FileMetaInformationVersion",
    }
    wanted = with_sequences({write.whole_path for write in WRITES if kind in write.objects})
    assert there - wanted == set(), "written, not declared"
    assert wanted - there == set(), "declared, not written"


def test_what_is_read_is_what_is_declared(study: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole study with every attribute that is declared; nothing else is read, and nothing of it is left unread."""
    watch = Watch(monkeypatch)
    change(study[RT_ION_PLAN], everything)
    for path in study[CT_IMAGE].parent.glob("CT*.dcm"):
        change(path, lambda ct_slice: setattr(ct_slice, "NumberOfFrames", 1))
    for edit in (lambda dose: None, one_frame):
        change(study[RT_DOSE], edit)
        find_study(study[RT_ION_PLAN])
    change(study[RT_ION_PLAN], what_is_not_calculated)
    find_study(study[RT_ION_PLAN], Chosen(ignore_devices=True))
    for kind in EVERY_OBJECT:
        wanted = with_sequences({read.whole_path for read in READS if kind in read.objects} - NOT_FROM_ATTRIBUTES)
        assert watch.seen[kind] - wanted == set(), "read, not declared"
        assert wanted - watch.seen[kind] == set(), "declared, not read"
