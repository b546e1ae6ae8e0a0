"""An adapter whose framework is too old says which version it needs."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from lstm_conformance.adapters import REGISTRY, required_versions, target
from lstm_conformance.adapters.required_versions import require_versions
from lstm_conformance.adapters.target import load
from lstm_conformance.spec.usage_error import UsageError

from .helpers.command_line import run


def forget() -> None:
    required_versions._others.cache_clear()
    target._installed_version.cache_clear()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Name of each package that seems to be installed to its version."""
    versions: dict[str, str] = {}

    def version(name: str) -> str:
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(metadata, "version", version)
    forget()
    yield versions
    forget()


@pytest.mark.parametrize(
    ("extra", "name", "version", "needs"),
    [
        ("torch", "torch", "2.0.1+cpu", "torch >=2.3"),
        ("tvm", "torch", "2.5.1", "torch >=2.6"),
        ("openvino", "openvino", "2023.1", "openvino >=2025.0"),
        ("mindspore", "numpy", "2.1.0", "numpy <2"),
    ],
)
def test_another_version_is_refused(
    extra: str, name: str, version: str, needs: str, installed: dict[str, str]
) -> None:
    installed[name] = version
    with pytest.raises(UsageError) as raised:
        require_versions("mine", extra)
    assert str(raised.value) == (
        f"mine needs {needs}, and {version} is installed: "
        f"pip install --upgrade 'lstm-conformance[{extra}]'."
    )


@pytest.mark.parametrize("version", ["2.3.0", "2.13.0+cpu", "2.16.0.dev20261101+cu130"])
def test_a_newer_version_is_not(version: str, installed: dict[str, str]) -> None:
    installed["torch"] = version
    require_versions("mine", "torch")


@pytest.mark.parametrize("extra", sorted({adapter.extra for adapter in REGISTRY.values()}))
def test_what_is_not_installed_is_not_looked_at(extra: str, installed: dict[str, str]) -> None:
    assert not installed
    require_versions("mine", extra)


@pytest.mark.parametrize("target", ["torch", "torch-compile", "torch.nn:LSTM"])
def test_targets_that_use_torch_are_refused(target: str, installed: dict[str, str]) -> None:
    if ":" in target:
        pytest.importorskip("torch")
    installed["torch"] = "2.0.1"
    with pytest.raises(UsageError, match=f"{target} needs torch >=2.3, and 2.0.1 is installed"):
        load(target)
    installed.clear()
    assert load("reference")


def test_a_package_that_is_not_installed_promises_nothing(
    installed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed["torch"] = "2.0.1"
    monkeypatch.setattr(required_versions, "_PACKAGE", "no-such-package")
    require_versions("mine", "torch")


@pytest.mark.whole
def test_the_exit_status_is_that_of_wrong_input(tmp_path: Path) -> None:
    """A folder of metadata stands for an old torch."""
    folder = tmp_path / "torch-2.0.1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.0.1\n")
    options = ("--profile", "smoke", "--clause", "EQ-1")
    path = str(tmp_path)
    ended = run("check", "torch.nn:LSTM", *options, cwd=tmp_path, PYTHONPATH=path)
    assert ended.status == 2, ended
    assert "torch.nn:LSTM needs torch >=2.3, and 2.0.1 is installed" in ended.err
    assert "Traceback" not in ended.err
