"""Folders for what is exchanged with other processes."""

from __future__ import annotations

import os
import tempfile

__all__ = ["FOLDER_OF_RUN", "temporary_folder"]

# The environment variable that names the folder of a run. All temporary files of the run are in
# it, so that nothing is left if a process of the run is ended.
FOLDER_OF_RUN = "LSTM_CONFORMANCE_FOLDER"


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """A new folder in that of the run; outside a run, where temporary files are."""
    return tempfile.TemporaryDirectory(
        prefix="lstm-conformance-", dir=os.environ.get(FOLDER_OF_RUN)
    )
