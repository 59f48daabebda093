"""dosewright conformance: every DICOM attribute that is read and written, from the code's own declarations."""

import typer

from dosewright.cli.options import Json


def conformance(as_json: Json = False) -> None:
    """List every DICOM attribute that is read and written, and how."""
    import json
    from dataclasses import asdict

    from dosewright.formats.dicom.conformance import EVERY_OBJECT
    from dosewright.formats.dicom.conformance_table import lines_read, lines_written
    from dosewright.formats.dicom.sop_classes import NAMES, RT_PLAN

    kinds = (*EVERY_OBJECT, RT_PLAN)
    tables = {NAMES[kind]: {"read": lines_read(kind), "written": lines_written(kind)} for kind in kinds}
    if as_json:
        typer.echo(json.dumps(tables, default=asdict, indent=2, ensure_ascii=False))
        return
    for name, table in tables.items():
        for doing, lines in table.items():
            typer.echo(f"{name}, {doing}:")
            for line in lines:
                missing = f" (missing: {line.assumes})" if line.assumes else ""
                typer.echo(
                    f"  {line.tag:11}  {line.vr:2}  {'>' * line.depth}{line.keyword}  {line.use}{missing}".rstrip()
                )
