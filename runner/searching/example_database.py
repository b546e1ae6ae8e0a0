"""``--examples``: cases that failed before, shared between runs, which are tried first."""

from __future__ import annotations

import hashlib
import os
import re
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    GitHubArtifactDatabase,
    MultiplexedDatabase,
    ReadOnlyDatabase,
)
from hypothesis.errors import HypothesisWarning

from ...spec.usage_error import UsageError
from ..processes.regular_file import read_regular_file

__all__ = ["Examples", "open_examples"]

# pytest-xdist sets this in worker processes. Only the main process tests whether a database works.
_WORKER = "PYTEST_XDIST_WORKER"

# In bytes. Hypothesis keeps nothing that is larger than some kilobytes.
_LARGEST_EXAMPLE = 1 << 20


def open_examples(places: Sequence[str]) -> Examples:
    """The databases that ``places`` name.

    Args:
        places: folders, URLs of Redis, or ``github:OWNER/REPO``, whose artifact is only read.

    Raises:
        UsageError: one of them cannot be used.
    """
    return Examples([_opened(place) for place in places])


class Examples:
    """Databases of Hypothesis, for all searches.

    Args:
        databases: all are read, and all that can be are written.
    """

    def __init__(self, databases: Sequence[ExampleDatabase]) -> None:
        self._databases = databases

    def of(self, *search: object) -> ExampleDatabase:
        """The examples of one search.

        Args:
            search: values that identify the search; the same in every run.
        """
        # Hypothesis tells tests apart by their source, and that is the same for all searches.
        prefix = hashlib.sha256(repr(search).encode()).digest()[:16]
        return MultiplexedDatabase(*(_Part(database, prefix) for database in self._databases))


class _Part(ExampleDatabase):
    """The keys of a database that have a prefix. Errors are ignored: verdicts do not need it."""

    def __init__(self, database: ExampleDatabase, prefix: bytes) -> None:
        super().__init__()
        self._database = database
        self._prefix = prefix

    def fetch(self, key: bytes) -> Iterable[bytes]:
        with suppress(Exception):  # connections break, archives are damaged
            return list(self._database.fetch(self._prefix + key))
        return []

    def save(self, key: bytes, value: bytes) -> None:
        with suppress(Exception):
            self._database.save(self._prefix + key, value)

    def delete(self, key: bytes, value: bytes) -> None:
        with suppress(Exception):
            self._database.delete(self._prefix + key, value)


def _opened(place: str) -> ExampleDatabase:
    if re.match("rediss?://", place):
        return _redis(place)
    if place.startswith("github:"):
        return _artifact(place)
    if "://" in place or not place:
        raise UsageError(
            f"There is no database of examples {place!r}: name a folder, redis://HOST or "
            f"github:OWNER/REPO."
        )
    try:
        Path(place).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"Examples cannot be kept in {place}: {error.strerror}.") from None
    return _Folder(place)


class _Folder(DirectoryBasedExampleDatabase):
    """A folder in which others may put something else than examples, such as a pipe."""

    def fetch(self, key: bytes) -> Iterable[bytes]:
        with suppress(OSError):
            for path in sorted(self._key_path(key).iterdir()):
                with suppress(OSError):
                    yield read_regular_file(path, _LARGEST_EXAMPLE)


def _redis(url: str) -> ExampleDatabase:
    try:
        from hypothesis.extra.redis import RedisExampleDatabase
        from redis import Redis, RedisError
    except ModuleNotFoundError:
        raise UsageError(
            "Examples in Redis need its client: pip install 'lstm-conformance[redis]'."
        ) from None
    try:
        client = Redis.from_url(url)
        if _WORKER not in os.environ:
            client.ping()
    except (RedisError, ValueError) as error:
        raise UsageError(f"The Redis of --examples cannot be used: {error}.") from None
    return RedisExampleDatabase(client)


def _artifact(place: str) -> ExampleDatabase:
    name = re.fullmatch(r"github:([\w.-]+)/([\w.-]+)", place)
    if name is None:
        raise UsageError(f"{place!r} is no repository: write github:OWNER/REPO.")
    folder = Path(os.environ.get("HYPOTHESIS_STORAGE_DIRECTORY", ".hypothesis"))
    # One folder for each process: they would remove each other's download.
    folder /= f"github/{name[1]}/{name[2]}/{os.environ.get(_WORKER, 'main')}"
    database = GitHubArtifactDatabase(name[1], name[2], path=folder)
    if _WORKER not in os.environ:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", HypothesisWarning)
                list(database.fetch(b""))
        except (HypothesisWarning, OSError, ValueError, LookupError) as error:
            raise UsageError(
                f"The examples of {place} cannot be read: {str(error).strip()}"
            ) from None
    return ReadOnlyDatabase(database)
