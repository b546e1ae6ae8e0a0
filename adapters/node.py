"""Frameworks of JavaScript: a program for each of them, which Node.js runs.

The programs lie beside this file. They answer by docs/protocol.md, and find the package of the
framework from the working folder, as every program there does.
"""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from ..spec.usage_error import UsageError

__all__ = ["node_command", "tfjs", "tfjs_wasm", "webnn"]


def node_command(file: str, *arguments: str) -> list[str]:
    """The words that start a program of this folder.

    Raises:
        UsageError: there is no Node.js.
    """
    node = shutil.which("node")
    if node is None:
        raise UsageError(f"{file} runs in Node.js, and there is no program node on the PATH.")
    return [node, str(Path(__file__).with_name(file)), *arguments]


tfjs = partial(node_command, "tfjs.mjs", "cpu")
tfjs_wasm = partial(node_command, "tfjs.mjs", "wasm")
webnn = partial(node_command, "webnn.mjs")
