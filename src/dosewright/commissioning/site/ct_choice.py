"""Which CT protocol a CT belongs to, by the DICOM keywords it carries."""

from collections.abc import Mapping

from dosewright.core.errors import refuse
from dosewright.formats.text.hounsfield import CtProtocol

Protocols = Mapping[str, CtProtocol]


def claiming(protocols: Protocols, keywords: Mapping[str, str]) -> str | None:
    """Return the protocol all of whose keywords a CT has, the one with most of them; None where there is none.

    Keywords are compared whatever their case, values as they stand, or as numbers where both are numbers.

    Raises
    ------
    InputError
        Several protocols with equally many keywords claim the CT.
    """
    told = _folded(keywords)
    counts = {name: len(one.keywords) for name, one in protocols.items() if one.keywords and not _differing(one, told)}
    best = [name for name, count in counts.items() if count == max(counts.values())]
    if len(best) > 1:
        said = "; ".join(f"{name} ({', '.join(f'{k} = {v}' for k, v in protocols[name].keywords.items())})"
                         for name in best)  # fmt: skip
        raise refuse("Several CT protocols claim this CT by equally many DICOM keywords; choose one with -c, or give "
                     "one of them another keyword", given=said)  # fmt: skip
    return best[0] if best else None


def why_none(protocols: Protocols, keywords: Mapping[str, str]) -> str:
    """Say for each protocol which keywords of a CT differ from its own."""
    told = _folded(keywords)
    said = []
    for name, one in protocols.items():
        differing = [f"{k} is {repr(told[k.casefold()]) if k.casefold() in told else 'missing'}, not {v!r}"
                     for k, v in _differing(one, told).items()]  # fmt: skip
        said.append(f"{name}: {', '.join(differing) if one.keywords else 'no keywords, only by -c'}")
    return "; ".join(said) or "none in this library"


def _folded(keywords: Mapping[str, str]) -> dict[str, str]:
    return {keyword.casefold(): value.strip() for keyword, value in keywords.items()}


def _differing(one: CtProtocol, told: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in one.keywords.items() if not _same(told.get(k.casefold(), ""), v.strip())}


def _same(told: str, wanted: str) -> bool:
    if told == wanted:
        return True
    try:
        return float(told) == float(wanted)  # 120 and 120.0, as DICOM's decimal strings may be written
    except ValueError:
        return False
