"""dosewright approve: vouch for a model as it stands, or take that back."""

from typing import TYPE_CHECKING, Annotated

import typer

from dosewright.cli import options
from dosewright.cli.faults import faults_reported

if TYPE_CHECKING:
    from dosewright.commissioning.site.catalog import Library
    from dosewright.workflow.users import User


def approve(
    what: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="Beam model, CT protocol or phantom; or settings; or a file.")
    ],
    comment: Annotated[str, typer.Option("--comment", metavar="TEXT", help="What is to be remembered.")] = "",
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="beam|ct|phantom|settings", help="What a name of several means.")
    ] = None,
    take_back: Annotated[bool, typer.Option("--revoke", help="Take the approval away.")] = False,
    library: options.Library = None,
    login: options.Login = None,
    as_json: options.Json = False,
) -> None:
    """Approve a model as it stands: who, when, which content; or take that back."""
    with faults_reported(as_json=as_json):
        import json
        from dataclasses import asdict

        from dosewright.commissioning.site.catalog import Library
        from dosewright.commissioning.upkeep import approval
        from dosewright.commissioning.upkeep.approvable import find

        opened = Library.open(library)
        user = _who_may(login, opened)
        found = find(opened, what, kind)
        if not as_json:
            typer.echo(f"{found.file}\nSHA-256: {found.sha256}")
            for one, content in found.models.items():
                typer.echo(f"As read, with its materials, {one}: {content}")
            typer.echo("\n".join(found.lines))
        if take_back:
            former = approval.revoke(found.file)
            said = {"revoked": str(found.file), "by": user.name, "former": asdict(former) if former else None}
            typer.echo(json.dumps(said, indent=2, ensure_ascii=False) if as_json else "The approval is revoked.")
            return
        made = approval.approve(found.file, user.name, role=user.role, comment=comment, models=found.models)
        path = approval.record_of(found.file)
        said = {"approved": str(found.file), "record": str(path), **asdict(made)}
        text = f"Now {made.sentence}. Record: {path}"
        typer.echo(json.dumps(said, indent=2, ensure_ascii=False) if as_json else text)


def _who_may(login: str | None, library: "Library") -> "User":
    """Return who asks, if the role may approve."""
    from dosewright.workflow.rights import APPROVE, demand
    from dosewright.workflow.users import user_of

    user = user_of(login, library.settings, library.settings_file)
    demand(APPROVE, user.name, user.role)
    return user
