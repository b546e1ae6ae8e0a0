"""The global settings that PURE-13 and PURE-14 are about: one list, with how to read and set each.

They belong to the whole process, so an implementation that changes one changes what its next call
computes, and what the judge computes. Every use of an implementation is therefore inside of
:func:`known_settings`, and the oracle computes inside of :func:`known_arithmetic`.

Settings of torch are in the list once torch is imported. This module does not import it.
"""

from __future__ import annotations

import ctypes
import platform
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from .python_state import CannotRestore, PythonState

__all__ = [
    "REPLACED",
    "THREADS",
    "Setting",
    "changed_settings",
    "global_settings",
    "known_arithmetic",
    "known_settings",
    "read_settings",
    "reset_arithmetic",
    "write_settings",
]


class Setting(NamedTuple):
    """One global setting.

    Attributes:
        name: in messages.
        known: the value that every use of an implementation begins with. But for the number of
            threads, it is the one of a new process.
        read: returns the value.
        write: sets the value.
    """

    name: str
    known: Any
    read: Callable[[], Any]
    write: Callable[[Any], object]


# ------------------------------------------------------------------ floating-point control

# Variables, because Python computes an expression of constants once, when it compiles.
_ONE, _TINY, _HALF, _HUGE = 1.0, 2.0**-60, 0.5, 2.0**1000
_LEAST_NORMAL, _LEAST_SUBNORMAL = sys.float_info.min, 5e-324

_KEPT, _FLUSHED, _TO_NEAREST = "kept", "flushed to zero", "to nearest"

# Argument of fesetround in C.
_ROUNDING_MODES = {
    "x86_64": {_TO_NEAREST: 0, "downward": 0x400, "upward": 0x800, "toward zero": 0xC00},
    "arm64": {_TO_NEAREST: 0, "upward": 0x400000, "downward": 0x800000, "toward zero": 0xC00000},
}
_ROUNDING_MODES |= {"amd64": _ROUNDING_MODES["x86_64"], "aarch64": _ROUNDING_MODES["arm64"]}

# The state of the floating-point unit, as fegetenv in C stores it, for each pair of settings that
# was seen. No other function of C knows how subnormal numbers are computed.
_STATES: dict[tuple[str, str], Any] = {}


@cache
def _c_library() -> Any:
    """The functions of ``fenv.h``; None on systems where they are not found."""
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):
        return None
    names = ("fegetenv", "fesetenv", "fesetround")
    return library if all(hasattr(library, name) for name in names) else None


def _subnormal_numbers() -> str:
    kept = _LEAST_NORMAL * _HALF != 0.0 and _LEAST_SUBNORMAL * _HUGE != 0.0
    pair = (_KEPT if kept else _FLUSHED, _rounding_mode())
    if pair not in _STATES and _c_library() is not None:
        state = ctypes.create_string_buffer(512)  # more than fenv_t has on any system
        _c_library().fegetenv(state)
        _STATES[pair] = state
    return pair[0]


def _rounding_mode() -> str:
    if _ONE + _TINY > 1.0:
        return "upward"
    if _ONE - _TINY < 1.0:
        return "downward" if -_ONE - _TINY < -1.0 else "toward zero"
    return _TO_NEAREST


def _set_subnormal_numbers(value: str) -> None:
    state = _STATES.get((value, _rounding_mode()))
    torch: Any = sys.modules.get("torch")
    if state is not None:
        _c_library().fesetenv(state)
    elif torch is not None:
        torch.set_flush_denormal(value == _FLUSHED)


def _set_rounding_mode(value: str) -> None:
    modes = _ROUNDING_MODES.get(platform.machine().lower(), {})
    if _c_library() is not None and value in modes:
        _c_library().fesetround(modes[value])


_ERRORS = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}

_WITHOUT_TORCH = (
    Setting("numpy.seterr", _ERRORS, np.geterr, lambda value: np.seterr(**value)),
    Setting("subnormal numbers", _KEPT, _subnormal_numbers, _set_subnormal_numbers),
    Setting("the rounding mode", _TO_NEAREST, _rounding_mode, _set_rounding_mode),
)


@contextmanager
def known_arithmetic() -> Iterator[None]:
    """Inside, NumPy computes as in a new process, whatever an implementation has set."""
    before = [setting.read() for setting in _WITHOUT_TORCH]
    _write_known(_WITHOUT_TORCH, before)
    try:
        yield
    finally:
        for setting, value in zip(_WITHOUT_TORCH, before, strict=True):
            if value != setting.known:
                setting.write(value)


def reset_arithmetic() -> list[str]:
    """Makes NumPy compute as in a new process; returns the names of the settings that differed."""
    values = [setting.read() for setting in _WITHOUT_TORCH]
    _write_known(_WITHOUT_TORCH, values)
    pairs = zip(_WITHOUT_TORCH, values, strict=True)
    return [setting.name for setting, value in pairs if value != setting.known]


def _write_known(settings: tuple[Setting, ...], values: list[Any]) -> None:
    for setting, value in zip(settings, values, strict=True):
        if value != setting.known:
            setting.write(setting.known)


# --------------------------------------------------------------------------------- torch

THREADS = "torch.get_num_threads"

# Guards that were entered for good: torch restores the mode if such an object is deleted.
_ENTERED: list[Any] = []


def _of_torch(torch: Any) -> Iterator[Setting]:
    """Settings of torch. Some versions lack some of them."""

    def function(name: str, known: Any, write: Callable[[Any], object]) -> Iterator[Setting]:
        if hasattr(torch, name):
            yield Setting(f"torch.{name}", known, getattr(torch, name), write)

    def attribute(path: str, name: str, known: Any) -> Iterator[Setting]:
        owner = torch
        for part in path.split("."):
            owner = getattr(owner, part, None)
        if hasattr(owner, name):
            yield Setting(
                f"torch.{path}.{name}",
                known,
                lambda: _unless_mixed(lambda: getattr(owner, name)),
                lambda value: setattr(owner, name, value),
            )

    def enter_inference_mode(value: bool) -> None:
        mode = torch.inference_mode(value)
        mode.__enter__()
        _ENTERED.append(mode)

    def set_deterministic(mode: bool, warn_only: bool) -> None:
        if "torch._inductor" in sys.modules:
            torch.use_deterministic_algorithms(mode, warn_only=warn_only)
        else:  # the same, but for importing torch's compilers
            torch._C._set_deterministic_algorithms(mode, warn_only=warn_only)

    def set_mode(value: bool) -> None:
        set_deterministic(value, torch.is_deterministic_algorithms_warn_only_enabled())

    def set_warn_only(value: bool) -> None:
        set_deterministic(torch.are_deterministic_algorithms_enabled(), value)

    def set_anomaly(value: bool) -> None:
        torch.autograd.set_detect_anomaly(value, torch.is_anomaly_check_nan_enabled())

    def set_check_nan(value: bool) -> None:
        torch.autograd.set_detect_anomaly(torch.is_anomaly_enabled(), value)

    def set_device(value: Any) -> None:
        # A device that was set makes every call slower, also the default one.
        torch.set_default_device(None if value == torch.device("cpu") else value)

    yield from function("get_default_dtype", torch.float32, torch.set_default_dtype)
    # torch.get_default_device takes 7 microseconds.
    cpu = torch.device("cpu")
    yield Setting("torch.get_default_device", cpu, lambda: torch.empty(0).device, set_device)
    # Sums are in the same order on every machine.
    yield from function("get_num_threads", 1, torch.set_num_threads)
    # Before the gradient mode, which it sets.
    yield from function("is_inference_mode_enabled", False, enter_inference_mode)
    yield from function("is_grad_enabled", True, torch.set_grad_enabled)
    yield from function("are_deterministic_algorithms_enabled", False, set_mode)
    yield from function("is_deterministic_algorithms_warn_only_enabled", False, set_warn_only)
    yield from _precisions(torch)
    yield from function("is_anomaly_enabled", False, set_anomaly)
    yield from function("is_anomaly_check_nan_enabled", True, set_check_nan)
    yield from _autocast(torch)
    yield from function("is_autocast_cache_enabled", True, torch.set_autocast_cache_enabled)
    for name, known in _CUDNN.items():
        yield from attribute("backends.cudnn", name, known)
    yield from attribute("backends.mkldnn", "enabled", True)
    yield from attribute("backends.mkldnn", "deterministic", False)


_CUDNN = {"enabled": True, "benchmark": False, "deterministic": False, "allow_tf32": True}


def _precisions(torch: Any) -> Iterator[Setting]:
    """Precisions of float32: first the general one, then those that inherit it."""
    if hasattr(torch._C, "_set_fp32_precision_setter"):
        for backend, operation in _PRECISIONS:
            path = [part for part in (backend, operation) if part not in ("generic", "all")]
            yield Setting(
                ".".join(("torch.backends", *path, "fp32_precision")),
                "none",
                partial(_read_precision, torch._C, backend, operation),
                partial(_write_precision, torch._C, backend, operation),
            )
    yield Setting(
        "torch.get_float32_matmul_precision",
        "highest",
        lambda: _unless_mixed(torch.get_float32_matmul_precision),
        torch.set_float32_matmul_precision,
    )


_PRECISIONS = (("generic", "all"), ("mkldnn", "all"), ("mkldnn", "rnn"), ("mkldnn", "matmul"))


def _read_precision(of_torch: Any, backend: str, operation: str) -> Any:
    value = of_torch._get_fp32_precision_getter(backend, operation)
    # torch.set_float32_matmul_precision("highest") sets the second of two that mean the same.
    return "none" if (operation, value) == ("matmul", "ieee") else value


def _write_precision(of_torch: Any, backend: str, operation: str, value: str) -> None:
    of_torch._set_fp32_precision_setter(backend, operation, "none")
    if _read_precision(of_torch, backend, operation) != value:  # it inherits another one
        of_torch._set_fp32_precision_setter(backend, operation, value)


def _unless_mixed(read: Callable[[], Any]) -> Any:
    """The value; ``"mixed"`` if it was set in two ways that disagree: torch then refuses to say."""
    try:
        return read()
    except RuntimeError:
        return "mixed"


def _autocast(torch: Any) -> Iterator[Setting]:
    if hasattr(torch, "get_autocast_dtype"):  # torch 2.4 and later
        for device in ("cpu", "cuda"):
            yield Setting(
                f"torch.is_autocast_enabled('{device}')",
                False,
                partial(torch.is_autocast_enabled, device),
                partial(torch.set_autocast_enabled, device),
            )
        return
    yield Setting(
        "torch.is_autocast_enabled('cpu')",
        False,
        torch.is_autocast_cpu_enabled,
        torch.set_autocast_cpu_enabled,
    )
    yield Setting(
        "torch.is_autocast_enabled('cuda')",
        False,
        torch.is_autocast_enabled,
        torch.set_autocast_enabled,
    )


@cache
def _with_torch() -> tuple[Setting, ...]:
    return (*_WITHOUT_TORCH, *_of_torch(sys.modules["torch"]))


# ---------------------------------------------------------------------------- all of them


def global_settings() -> tuple[Setting, ...]:
    """All settings: those of torch too, if it was imported."""
    torch = sys.modules.get("torch")
    return _with_torch() if hasattr(torch, "set_grad_enabled") else _WITHOUT_TORCH


def read_settings() -> dict[str, Any]:
    """Name to value of each setting."""
    return {setting.name: setting.read() for setting in global_settings()}


def write_settings(values: Mapping[str, Any]) -> None:
    """Sets each setting in ``values`` that has another value now."""
    for setting in global_settings():
        if setting.name in values and setting.read() != values[setting.name]:
            setting.write(values[setting.name])


def changed_settings(before: Mapping[str, Any]) -> dict[str, Any]:
    """Name to value of each setting that differs from ``before``.

    If torch has been imported since, its settings differ from those of a new process.
    """
    return {
        setting.name: value
        for setting in global_settings()
        if (value := setting.read()) != before.get(setting.name, setting.known)
        if setting.name in before or setting.name != THREADS
    }


class _State:
    in_use = False


# Names of builtins that an implementation replaced, and that were restored.
REPLACED: list[str] = []


class known_settings:
    """Inside, an implementation is used: settings begin with known values, and are restored after.

    So is what :class:`.PythonState` is about. A use within a use continues in the state of the
    first one, as it is for users.

    This is no generator: the functions of contextlib need builtins.

    Args:
        changes: settings that importing the implementation has changed.
    """

    def __init__(self, changes: Mapping[str, Any] | None = None) -> None:
        self._changes = changes or {}
        self._python: PythonState | None = None

    def __enter__(self) -> None:
        if _State.in_use:
            write_settings(self._changes)
            return
        self._settings = global_settings()
        self._before = [setting.read() for setting in self._settings]
        self._warnings = warnings.catch_warnings()
        self._warnings.__enter__()
        self._python = PythonState()
        _State.in_use = True
        try:
            _write_known(self._settings, self._before)
            write_settings(self._changes)
        except BaseException:
            self._restore(self._python)
            raise

    def __exit__(self, *of_error: object) -> None:
        """Restores all.

        Raises:
            CannotRestore: the implementation closed an output stream.
        """
        if self._python is not None:
            self._restore(self._python)
            closed = self._python.closed()
            if closed:
                names = " and ".join(closed)
                raise CannotRestore(f"the implementation closed {names}, which stays closed")

    def _restore(self, python: PythonState) -> None:
        changed = python.restore()  # before all else, which needs builtins
        python.close()
        REPLACED.extend(name for name in changed if name.startswith("builtins."))
        _State.in_use = False
        try:
            for setting, value in zip(self._settings, self._before, strict=True):
                if setting.read() != value:
                    setting.write(value)
            if len(self._settings) != len(global_settings()):  # torch was imported
                _write_known_of_torch()
        finally:
            self._warnings.__exit__(None, None, None)


def _write_known_of_torch() -> None:
    for setting in global_settings()[len(_WITHOUT_TORCH) :]:
        if setting.name != THREADS and setting.read() != setting.known:
            setting.write(setting.known)


_subnormal_numbers()  # records the state of a new process
