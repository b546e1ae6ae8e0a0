"""From options to the implementation that is judged."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from ...adapters import REGISTRY
from ...adapters.target import load, program_of_adapter, require_file
from ...adapters.without import Without
from ...spec.contract import Implementation
from ...spec.global_settings import known_settings
from ...spec.python_state import CannotRestore
from ...spec.usage_error import UsageError
from ..judging.canary import JudgeChanged, watched
from ..processes.child_process import ChildProcess, Limits
from ..processes.starting import (
    environment_of_programs,
    judging_environment,
    python_command,
)
from .isolated_implementation import IsolatedImplementation
from .options import Options

__all__ = ["Judged", "construct", "construct_here", "require_target"]

# The devices that are named if another one cannot be used.
_DEVICES = ("cpu", "cuda", "mps", "xpu")

_ISOLATED_PROCESS = "lstm_conformance.runner.session.isolated_process"


@dataclass(frozen=True)
class Judged:
    """The implementation that is judged.

    Attributes:
        implementation: without the capabilities that are taken away.
        target: text for results and commands.
        devices: names of the devices that were asked for and can be used.
        missing_devices: name of each other device that was asked for, to the reason.
        process: runs cases that might end this process; None if there is none.
        isolated: the implementation, if ``process`` runs all cases; otherwise None.
    """

    implementation: Implementation
    target: str
    devices: tuple[str, ...] = ("cpu",)
    missing_devices: dict[str, str] = field(default_factory=dict)
    process: ChildProcess | None = None
    isolated: IsolatedImplementation | None = None


def construct(options: Options) -> Judged:
    """Makes the implementation that ``options`` name, in this process or in another one.

    Raises:
        UsageError: it cannot be judged.
    """
    process = _isolated_process(options, _limits(options))
    if not _is_isolated(options):
        return replace(construct_here(options), process=process)
    implementation = IsolatedImplementation(process, options.target_text)
    return Judged(
        implementation,
        options.target_text,
        implementation.devices,
        implementation.missing_devices,
        process,
        implementation,
    )


def _is_isolated(options: Options) -> bool:
    if options.program is not None or options.python is not None:
        return False
    adapter = REGISTRY.get(options.target or "")
    return options.isolate or (adapter is not None and adapter.isolated)


def _limits(options: Options) -> Limits:
    return Limits(options.time_limit, options.memory_limit)


def require_target(options: Options) -> None:
    """Says what is wrong with the target, as far as that is seen without importing anything.

    Raises:
        UsageError: there is no such file, or the program is no command.
    """
    if options.target_file is not None:
        require_file(options.target_file)
    if options.program is not None:
        _words(options.program)


def construct_here(options: Options, make: Callable[[], Implementation] | None = None) -> Judged:
    """Makes the implementation that is judged, in this process.

    Args:
        options: that were asked for.
        make: returns the implementation; by default the one that ``options`` name.

    Raises:
        UsageError: it cannot be judged.
    """
    asked = options.devices or ("cpu",)
    if make is None:
        make = partial(_implementation, options, _limits(options))
    try:
        with watched():
            implementation = make()
            if options.without:
                implementation = Without(implementation, frozenset(options.without))
            reasons = {name: _device_missing(implementation, name) for name in asked}
    except (JudgeChanged, CannotRestore) as error:
        raise UsageError(f"Loading {options.target_text}: {error}.") from error
    if None not in reasons.values():
        known = [name for name in _DEVICES if _device_missing(implementation, name) is None]
        raise UsageError(
            f"--device {asked[0]} cannot be used, choose from {', '.join(known)}: "
            f"{reasons[asked[0]]}."
        )
    return Judged(
        implementation,
        options.target_text,
        tuple(name for name, reason in reasons.items() if reason is None),
        {name: reason for name, reason in reasons.items() if reason is not None},
    )


def _implementation(options: Options, limits: Limits) -> Implementation:
    words = None if options.program is None else _words(options.program)
    if options.python is None:
        words = words or program_of_adapter(options.target)
        if words is None:
            return load(str(options.target))
    try:
        from ..processes.program import Program
    except ModuleNotFoundError as error:
        raise UsageError(
            "Programs need safetensors, which is not installed: "
            "pip install 'lstm-conformance[programs]'."
        ) from error
    if words is not None:
        return Program(words, limits, environment_of_programs())
    from ..processes.other_interpreter import require_interpreter, serving_command

    require_interpreter(str(options.python))
    command, environment = serving_command(str(options.python), str(options.target))
    return Program(command, limits, environment)


def _words(command: str) -> list[str]:
    """The words of ``--exec``, as a shell splits them."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--exec {command!r} is not a command: {error}.") from None
    if not words or not words[0]:
        raise UsageError(f"--exec {command!r} is not a command: it is empty.")
    return words


def _device_missing(implementation: Implementation, device: str) -> str | None:
    """Why ``device`` cannot be used; None if it can."""
    ask = getattr(implementation, "device_missing", None)
    if ask is not None:
        with known_settings():
            reason: str | None = ask(device)
        return reason
    return None if device == "cpu" else f"{implementation.name} computes on the cpu only"


def _isolated_process(options: Options, limits: Limits) -> ChildProcess:
    """A process that runs cases with the same options. It starts when it is first asked.

    It learns neither where results are written nor the folder of this run.
    """
    greeting = {"options": options.for_isolated_cases().to_json()}
    command = python_command(_ISOLATED_PROCESS, "main()")
    environment = judging_environment()
    environment.pop("HYPOTHESIS_STORAGE_DIRECTORY", None)
    ids = iter(lambda: secrets.token_hex(16), "")
    return ChildProcess(command, limits, greeting, environment, ids)
