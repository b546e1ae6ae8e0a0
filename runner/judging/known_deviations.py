"""Known deviations: what an implementation is known to do differently, each with a reason.

A file of them, TOML::

    [[deviation]]
    clause = ["PACK-1", "PACK-2"]
    when = { packed = true, dtype = "float64" }
    reason = "With lengths, matrices are multiplied in float32."
    link = "https://github.com/..."

``clause`` is one id or several. ``when`` is optional. It limits the deviation to cases in which
fields have the given value, or one of several. Its condition ``version`` limits the deviation to
versions of the implementation (PEP 440): where it does not hold, the deviation counts as not
listed. ``finding`` is optional, too: the name of one program or several in ``reports/findings/``.
A case that fails such a clause and meets these conditions is ``waived``. If cases of an entry
were judged and none failed, that is an error: the entry has to be removed, so that the clauses
are watched again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from ...reports.results import KnownDeviation
from ...spec.case import Case
from ...spec.clauses import TESTABLE
from ...spec.clean_text import clean_text
from ...spec.config import LSTMConfig
from ...spec.toml_file import read_toml
from ...spec.usage_error import UsageError

__all__ = [
    "CONDITIONS",
    "Deviation",
    "applying",
    "deviation_of",
    "of_version",
    "read_known_deviations",
]

# Name of each condition to the type of its values. Conditions are the fields of cases and
# configurations that hold a single value, and three that follow from other fields.
_KINDS = {"int": int, "float": float, "bool": bool, "str": str}
CONDITIONS: dict[str, type] = {
    **{
        item.name: _KINDS[str(item.type)]
        for item in (*fields(LSTMConfig), *fields(Case))
        if str(item.type) in _KINDS
    },
    "packed": bool,
    "projection": bool,
    "gradients": bool,
}


@dataclass(frozen=True)
class Deviation:
    """One known deviation.

    Attributes:
        clauses: ids of the clauses that it breaks.
        reason: what the implementation does instead.
        link: where it is discussed; empty if nowhere.
        when: name of a condition on cases to the values for which the deviation is known.
        versions: specifiers of versions of the implementation (PEP 440), one of which has to hold;
            empty if all versions deviate.
        findings: ids of the findings that show it.
    """

    clauses: tuple[str, ...]
    reason: str
    link: str = ""
    when: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    versions: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.reason} ({self.link})" if self.link else self.reason

    def to_json(self) -> KnownDeviation:
        """The known deviation as plain JSON, for the results."""
        when = {name: list(values) for name, values in self.when.items()}
        return {
            "clauses": list(self.clauses),
            "when": when,
            "reason": self.reason,
            "link": self.link,
            "versions": list(self.versions),
            "findings": list(self.findings),
        }

    def applies(self, clause: str, case: Case) -> bool:
        """Whether the deviation covers a failure of ``case`` by ``clause``."""
        return clause in self.clauses and all(
            _value(case, name) in allowed for name, allowed in self.when.items()
        )


def of_version(deviations: Sequence[Deviation], name: str, version: str) -> tuple[Deviation, ...]:
    """The known deviations whose condition on the version holds, or that have none.

    Args:
        deviations: all that are listed.
        name: of the implementation, for the message.
        version: of the implementation. It may be any text if no deviation has a condition on it.

    Raises:
        UsageError: there is such a condition, and the version is none of PEP 440.
    """
    if not any(deviation.versions for deviation in deviations):
        return tuple(deviations)
    try:
        parsed = Version(version)
    except InvalidVersion:
        raise UsageError(
            f"{clean_text(name)} has the version {clean_text(version)!r}, which cannot be compared "
            "with the condition `version` of a known deviation: PEP 440 has no such version. Give "
            "its module a __version__ such as '1.0', or list its deviations without the condition."
        ) from None
    return tuple(
        deviation
        for deviation in deviations
        if not deviation.versions
        or any(SpecifierSet(s).contains(parsed, prereleases=True) for s in deviation.versions)
    )


def applying(deviations: Sequence[Deviation], clause: str, case: Case) -> int | None:
    """The index of the first known deviation that covers a failure of ``case`` by ``clause``."""
    return next((k for k, d in enumerate(deviations) if d.applies(clause, case)), None)


def _value(case: Case, name: str) -> Any:
    if name == "projection":
        return case.config.proj_size > 0
    if name == "gradients":
        return bool(case.cotangents)
    return getattr(case if hasattr(case, name) else case.config, name)


def read_known_deviations(path: Path) -> tuple[Deviation, ...]:
    """The known deviations in a file, in its order.

    Raises:
        UsageError: the file cannot be read, or holds something else.
    """
    content = read_toml(path, str(path))
    entries = content.pop("deviation", [])
    if content or not isinstance(entries, list):
        raise UsageError(f"{path} has to consist of [[deviation]] entries.")
    return tuple(
        deviation_of(entry, f"{path}, entry {number}") for number, entry in enumerate(entries, 1)
    )


def deviation_of(entry: Any, place: str) -> Deviation:
    """The known deviation that one entry of a file describes.

    Args:
        entry: as read from TOML.
        place: file and number of the entry, for the message.

    Raises:
        UsageError: the entry is not a known deviation.
    """
    allowed = ("clause", "when", "reason", "link", "finding")
    if not isinstance(entry, dict):
        raise UsageError(f"{place} is no table with a clause and a reason.")
    unknown = sorted(set(entry) - set(allowed))
    if unknown:
        raise UsageError(
            f"{place}: there is no {', '.join(unknown)}: choose from {', '.join(allowed)}."
        )
    clauses = _several(entry.get("clause", []))
    reason, link = entry.get("reason", ""), entry.get("link", "")
    findings = _several(entry.get("finding", []))
    if not all(isinstance(value, str) for value in (*clauses, reason, link, *findings)):
        raise UsageError(f"{place}: clause, reason, link and finding are texts.")
    if not clauses or not reason.strip():
        raise UsageError(f"{place} needs a clause and a reason.")
    for clause in clauses:
        if clause not in TESTABLE:
            raise UsageError(f"{place}: there is no clause {clause!r}.")
    when = entry.get("when", {})
    if not isinstance(when, dict):
        raise UsageError(f"{place}: when is a table, as {{ packed = true }}.")
    on_cases = {name: value for name, value in when.items() if name != "version"}
    versions = _versions(when["version"], place) if "version" in when else ()
    return Deviation(clauses, reason, link, _conditions(on_cases, place), versions, findings)


def _versions(value: Any, place: str) -> tuple[str, ...]:
    versions = _several(value)
    for text in versions:
        try:
            versions = versions if SpecifierSet(text) else ()
        except (AttributeError, TypeError, InvalidSpecifier):
            versions = ()
    if not versions:
        raise UsageError(
            f'{place}: version is a specifier of PEP 440, as ">=2.13" or ">=2.3,<2.7", and not '
            f"{value!r}."
        )
    return versions


def _conditions(when: dict[str, Any], place: str) -> dict[str, tuple[Any, ...]]:
    conditions, names = {}, ", ".join([*CONDITIONS, "version"])
    for name, value in when.items():
        if name not in CONDITIONS:
            raise UsageError(f"{place}: there is no condition {name!r}: choose from {names}.")
        kind, values = CONDITIONS[name], _several(value)
        if kind is float:
            values = tuple(float(v) if type(v) is int else v for v in values)
        if not values or any(type(v) is not kind for v in values):
            raise UsageError(
                f"{place}: {name} is compared with {kind.__name__}, not with {value!r}."
            )
        conditions[name] = values
    return conditions


def _several(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list) else (value,)
