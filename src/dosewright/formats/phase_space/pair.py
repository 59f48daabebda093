"""Two files of one phase space that differ in their suffix."""

from pathlib import Path

from dosewright.core.errors import refuse


def pair_of(path: Path, suffixes: tuple[str, str]) -> tuple[Path, Path]:
    """Return both files of a pair of which one is given, the suffixes in any case.

    Raises
    ------
    InputError
        One of them is missing, or there are several.
    """
    if path.suffix.casefold() not in (suffix.casefold() for suffix in suffixes):
        raise refuse("A phase space of two files needs their suffixes", given=path.name, allowed=" and ".join(suffixes))
    first, second = (
        path if path.suffix.casefold() == suffix.casefold() else _other(path, suffix) for suffix in suffixes
    )
    return first, second


def _other(path: Path, suffix: str) -> Path:
    found = partners(path, (suffix,))
    if len(found) != 1:
        names = ", ".join(sorted(one.name for one in found)) or "none"
        raise refuse(f"The other file of the phase space, {path.stem}{suffix}, is missing or there are several",
                     given=names, where=path.parent)  # fmt: skip
    return found[0]


def partners(path: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Return files beside `path` of the same name but with one of these suffixes, in any case."""
    wanted = [suffix.casefold() for suffix in suffixes]
    exact = [path.with_suffix(suffix) for suffix in suffixes if path.with_suffix(suffix).is_file()]
    if exact:
        return exact
    try:
        beside = list(path.parent.iterdir())
    except OSError as error:
        raise refuse("The folder cannot be read", given=error.strerror, where=path.parent) from error
    return [one for one in beside if one.stem == path.stem and one.suffix.casefold() in wanted and one.is_file()]
