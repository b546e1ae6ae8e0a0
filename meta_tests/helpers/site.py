"""The documentation site: built by MkDocs, and served."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .command_line import environment

__all__ = ["build", "built", "served"]

ROOT = Path(__file__).parents[2]


def build(folder: Path, into: Path) -> subprocess.CompletedProcess[str]:
    """Builds the site of the checkout in ``folder``; warnings are errors."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(into)],
        cwd=folder,
        env={**environment(), "NO_MKDOCS_2_WARNING": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def built(into: Path) -> Path:
    """Builds the site of this checkout, without warnings, and returns its folder."""
    done = build(ROOT, into)
    assert done.returncode == 0, done.stdout
    return into


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files, and prints nothing."""

    def log_message(self, *args: object) -> None:
        """Called for each request."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address at which the site in a folder is served: searching does not work from files."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
