"""The command line of programs that measure and write to a folder."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

__all__ = ["measuring_parser"]


def measuring_parser(description: str | None, at_once: str = "processes") -> ArgumentParser:
    """A parser of the folder for the results, and of how much runs at once.

    Args:
        description: of the program.
        at_once: what ``-n`` counts.
    """
    parser = ArgumentParser(description=description)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-n", type=int, default=2, help=at_once)
    return parser
