"""Judges ``torch.nn.LSTM`` in several releases of torch, each in an environment of its own.

* ``python -m tools.torch_releases install VERSION``: installs torch and this suite, with pip
* ``python -m tools.torch_releases judge VERSION [OPTION...]``: judges and publishes the results

``tox -e release-torchVERSION`` runs both. They also accept ``release-torchVERSION`` as the version.
``python -m tools.frameworks table`` makes the page.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from lstm_conformance.reports.finding import Finding
from lstm_conformance.reports.reading import read_results
from lstm_conformance.reports.releases import Releases, releases_of
from lstm_conformance.reports.writing import write_results
from tools.environment import install

__all__ = ["KNOWN", "RELEASES", "RESULTS", "pages", "published", "releases"]

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "reports" / "published" / "torch_releases"
KNOWN = ROOT / "reports" / "known_deviations" / "torch.toml"

# Each release to the packages that need another version there than in constraints.txt. Releases
# before 2.4 are compiled for NumPy 1.
RELEASES: Mapping[str, Mapping[str, str]] = {
    "2.3.1": {"numpy": "1.26.4"},
    "2.6.0": {},
    "2.9.1": {},
    "2.13.0": {},
    "2.14.1": {},
    "2.15.0": {},
}


def judge(version: str, options: list[str]) -> int:
    """Runs the default profile with the known deviations, and publishes the results."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{version}.json"
    command = [sys.executable, "-m", "lstm_conformance", "check", "torch.nn:LSTM"]
    command += ["--known-deviations", str(KNOWN), "-n", "1", "--json", str(file), *options]
    status = subprocess.run(command, check=False).returncode
    if status in (0, 1):
        publish(file)
    return status


def publish(file: Path) -> None:
    """Takes out of results what is only needed to resume or to merge them."""
    results = read_results(file)
    write_results(file, {name: value for name, value in results.items() if name != "parts"})


def published() -> list[str]:
    """The releases that have results, the oldest first."""
    return [version for version in RELEASES if (RESULTS / f"{version}.json").exists()]


@cache
def releases() -> Releases:
    """The published results."""
    return releases_of([read_results(RESULTS / f"{version}.json") for version in published()])


def pages(findings: list[Finding]) -> dict[str, Callable[[], str]]:
    """Name of the page and of its picture to functions that make them; none without results.

    Args:
        findings: of all frameworks.
    """
    if not published():
        return {}
    return {
        "torch_releases.md": lambda: releases_page_of(findings),
        "torch_releases.svg": picture,
    }


def releases_page_of(findings: list[Finding]) -> str:
    """The published page.

    Args:
        findings: of all frameworks.
    """
    from lstm_conformance.reports.releases_page import releases_page

    introduction = (
        "`torch.nn.LSTM` of several releases of PyTorch, from the one whose documentation is the "
        "specification: what each release breaks, and when that came or went. Each was judged "
        "on a CPU, with the packages and by the version of this suite that are named at the end. "
        "Releases between them were not judged. Made from results by "
        "`tox -e release-torchVERSION`; "
        "[`known_deviations/torch.toml`](../known_deviations/torch.toml) holds on each of them."
    )
    of_torch = [finding for finding in findings if finding.framework == "PyTorch"]
    return releases_page(releases(), introduction, of_torch, "torch_releases.svg")


def picture() -> str:
    """The plot of the published page."""
    from lstm_conformance.reports.releases_plot import ratios_picture

    return ratios_picture(releases())


def main(arguments: list[str]) -> int:
    """Runs one of the commands, and returns the exit status."""
    command, name = (*arguments, "", "")[:2]
    version = name.removeprefix("release-torch")
    if command == "install" and version in RELEASES:
        return install("torch", {"torch": version, **RELEASES[version]})
    if command == "judge" and version in RELEASES:
        return judge(version, arguments[2:])
    print(inspect.cleandoc(__doc__ or ""), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
