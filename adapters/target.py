"""Loads the implementation that a target names."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import importlib.util
import shlex
import sys
import traceback
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from ..spec.capabilities import ALL, CAPABILITIES
from ..spec.clean_text import clean_text
from ..spec.contract import UNKNOWN_VERSION, Implementation
from ..spec.did_you_mean import meant
from ..spec.global_settings import THREADS, changed_settings, known_settings, read_settings
from ..spec.interrupts import is_interrupt
from ..spec.usage_error import UsageError
from . import REGISTRY
from .array_function import array_function
from .in_its_settings import InItsSettings
from .required_versions import require_versions

__all__ = [
    "is_instance",
    "load",
    "name_of_object",
    "object_text",
    "of_object",
    "program_of_adapter",
    "require_file",
    "target_text",
]


# An object with these attributes is an implementation. Any other is called like torch.nn.LSTM.
_INTERFACE = ("capabilities", "run")

# Name of a module or file to the global settings that importing it changed. What it imports
# itself is imported once, so that loading it again changes less.
_CHANGED_BY_IMPORT: dict[str, dict[str, Any]] = {}

_NOT_INSTALLED = "{} needs {}, which is not installed: pip install 'lstm-conformance[{}]'."


def target_text(target: str | None, program: str | None, python: str | None) -> str:
    """The target as results and commands name it.

    Args:
        target: the argument of the command line, if there is one.
        program: the value of ``--exec``, if it is given instead.
        python: the value of ``--python``, if it is given.
    """
    if program is not None:
        return f"--exec {shlex.quote(program)}"
    return f"{target} --python {shlex.quote(python)}" if python is not None else str(target)


# With this begins what stands for a target if an object in memory is judged.
_OBJECT = "python object "


def object_text(name: str) -> str:
    """What results name as the target if an object in memory is judged, which has this name."""
    return _OBJECT + name


def name_of_object(target: str) -> str | None:
    """The name of the object in memory that was judged; None for any other target."""
    return target.removeprefix(_OBJECT) if target.startswith(_OBJECT) else None


def load(target: str) -> Implementation:
    """The implementation that ``target`` names.

    Args:
        target: ``package.module:Attribute``, ``path/to/file.py:Attribute`` or the name of an
            adapter. The attribute is an implementation, a class of implementations, or is called
            like ``torch.nn.LSTM``.

    Raises:
        UsageError: the target does not exist, cannot be imported, or is not an LSTM.
    """
    with known_settings():
        return _load(target)


def _load(target: str) -> Implementation:
    module_name, separator, attribute = target.rpartition(":")
    if not separator:
        return _adapter(target)
    if not module_name or not attribute:
        raise UsageError(f"{target!r} is not a target: write package.module:Attribute.")
    before = read_settings()
    module = _module(module_name)
    changes = _CHANGED_BY_IMPORT.setdefault(module_name, {})
    changes.update(changed_settings(before))
    changes.pop(THREADS, None)  # sums stay in the same order
    implementation = _implementation(target, module, attribute)
    return InItsSettings(implementation, changes) if changes else implementation


def of_object(
    value: Any,
    name: str,
    capabilities: Collection[str] | None = None,
    differentiate: Callable[..., Any] | None = None,
) -> Implementation:
    """The implementation that an object in memory is, or stands for.

    Args:
        value: an implementation, a class of implementations, a function over NumPy arrays, a cell,
            or what is called like ``torch.nn.LSTM``.
        name: in reports and messages.
        capabilities: of a function or a cell, see :func:`.array_function`.
        differentiate: of a function, see :func:`.array_function`.

    Raises:
        UsageError: it is not an LSTM.
    """
    with known_settings():
        module = sys.modules.get(getattr(value, "__module__", None) or "")
        version = UNKNOWN_VERSION if module is None else _version(module)
        version = "(in memory)" if version == UNKNOWN_VERSION else version
        return _of_value(name, value, version, capabilities, differentiate)


def _implementation(target: str, module: ModuleType, attribute: str) -> Implementation:
    value: Any = module
    for part in attribute.split("."):
        if not hasattr(value, part):
            module_name = target.rpartition(":")[0]
            like = meant(part, [n for n in dir(value) if not n.startswith("_")])
            raise UsageError(
                f"{module_name} has no attribute {attribute!r}{like}{'?' if like else '.'}"
            )
        value = getattr(value, part)
    return _of_value(target, value, _version(module))


def _of_value(
    target: str,
    value: Any,
    version: str,
    capabilities: Collection[str] | None = None,
    differentiate: Callable[..., Any] | None = None,
) -> Implementation:
    if all(hasattr(value, name) for name in _INTERFACE):
        if capabilities is not None or differentiate is not None:
            raise UsageError(
                f"{target} declares its capabilities itself: capabilities and differentiate are "
                "for functions over arrays and for cells."
            )
        implementation: Implementation = value() if isinstance(value, type) else value
        return _with_known_capabilities(target, implementation)
    function = array_function(value, target, version, capabilities, differentiate)
    if function is not None:
        return _with_known_capabilities(target, function)
    if capabilities is not None or differentiate is not None:
        raise UsageError(
            f"{target} is no function over arrays, which has the parameters (case, arguments), and "
            "no cell, which has (x, states, weights): capabilities and differentiate are for these."
        )
    return _drop_in(target, value, version)


def _adapter(name: str) -> Implementation:
    if name not in REGISTRY:
        raise UsageError(_no_target(name))
    if REGISTRY[name].program:
        raise UsageError(f"{name} is a program, which no Python runs: judge it without --python.")
    implementation: Implementation = _made(name)
    return implementation


def program_of_adapter(name: str | None) -> list[str] | None:
    """Program and arguments of the adapter that a target names; None if it is no program.

    Raises:
        UsageError: what runs the program is missing.
    """
    if name not in REGISTRY or not REGISTRY[name].program:
        return None
    words: list[str] = _made(name)
    return words


def _made(name: str) -> Any:
    """What the factory of an adapter returns."""
    require_versions(name, REGISTRY[name].extra)
    module_name, _, attribute = REGISTRY[name].factory.partition(":")
    return getattr(_module(module_name, name), attribute)()


def _no_target(name: str) -> str:
    """What is wrong with a target that names no adapter, and what to write instead."""
    if name.endswith(".py") and Path(name).is_file():
        found = _definitions(Path(name))
        one = f"{name}:{found[0]}" if found else f"{name}:Attribute"
        there = f"; it defines {', '.join(found)}" if found else ""
        return f"{name} is a file: say what in it is judged, as {one}{there}."
    if name.endswith(".py"):
        return _no_file(Path(name))
    like = meant(name, REGISTRY)
    adapters = "the name of an adapter" if like else f"one of the adapters {', '.join(REGISTRY)}"
    return (
        f"{name!r} is not a target{like}{'?' if like else ':'} Write package.module:Attribute, "
        f"path/to/file.py:Attribute or {adapters}."
    )


def _no_file(path: Path) -> str:
    folder = path.parent
    beside = [other.name for other in folder.glob("*.py")] if folder.is_dir() else []
    like = meant(path.name, beside)
    return f"There is no file {path}{like}{'?' if like else '.'}"


def _definitions(path: Path) -> list[str]:
    """Names of the classes, functions and values that a file defines, without running it."""
    try:
        body = ast.parse(path.read_bytes()).body
    except (SyntaxError, ValueError, OSError, RecursionError):
        return []
    names = [n.name for n in body if isinstance(n, ast.ClassDef | ast.FunctionDef)]
    values = [n.targets[0] for n in body if isinstance(n, ast.Assign)]
    names += [target.id for target in values if isinstance(target, ast.Name)]
    return [name for name in names if not name.startswith("_")]


def _with_known_capabilities(target: str, implementation: Implementation) -> Implementation:
    """Returns ``implementation``, or raises UsageError if it declares unknown capabilities."""
    declared = implementation.capabilities
    if not isinstance(declared, (set, frozenset)):
        raise UsageError(
            f"{target}: capabilities must be a set of names, not a {type(declared).__name__}."
        )
    unknown = sorted(declared - ALL, key=repr)
    if unknown:
        raise UsageError(
            f"{target} declares an unknown capability {unknown[0]!r}"
            f"{meant(str(unknown[0]), CAPABILITIES)}: "
            f"choose from {', '.join(CAPABILITIES)}."
        )
    return implementation


def _module(name: str, adapter: str = "") -> ModuleType:
    try:
        if name.endswith(".py"):
            return _module_of_file(Path(name))
        return importlib.import_module(name)
    except UsageError:
        raise
    except SyntaxError as error:
        place = f"{error.filename}, line {error.lineno}"
        raise UsageError(f"Importing {name} failed: {error.msg} ({place}).") from error
    except BaseException as error:
        if is_interrupt(error):
            raise
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing and adapter:
            extra = REGISTRY[adapter].extra
            raise UsageError(_NOT_INSTALLED.format(adapter, missing, extra)) from error
        if missing == "torch":
            raise UsageError(_NOT_INSTALLED.format(name, "torch", "torch")) from error
        raise UsageError(f"Importing {name} failed: {_one_line(error)}{_place(error)}.") from error


def _place(error: BaseException) -> str:
    """Where an exception was raised, as the end of a sentence."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f.filename != __file__ and "importlib" not in f.filename]
    return f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""


def require_file(path: Path) -> None:
    """Raises UsageError if there is no such file."""
    if not path.is_file():
        raise UsageError(_no_file(path))


def _module_of_file(path: Path) -> ModuleType:
    require_file(path)
    # The file can import the modules beside it. They are searched last: one of them may have the
    # name of a module that something else needs.
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    name = f"lstm_implementation_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def is_instance(value: Any) -> bool:
    """Whether ``value`` is a torch module that exists already."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def _drop_in(target: str, factory: Any, version: str) -> Implementation:
    if not callable(factory):
        raise UsageError(f"{target} is not an LSTM: it is not callable.")
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        raise UsageError(_NOT_INSTALLED.format(target, "torch", "torch")) from None
    require_versions(target, "torch")
    if is_instance(factory):
        from .torch_instance import torch_instance

        return torch_instance(target, factory, version)
    try:
        module = factory(2, 3)
    except BaseException as error:
        if is_interrupt(error):
            raise
        raise UsageError(
            f"{target} is not an LSTM: called with input_size=2, hidden_size=3 it raised "
            f"{_one_line(error)}."
        ) from error
    if not isinstance(module, torch.nn.Module):
        raise UsageError(
            f"{target} is not an LSTM: called with input_size=2, hidden_size=3 it returned an "
            f"object of type {type(module).__name__}, not a torch.nn.Module. A function over "
            f"arrays has the parameters `case` and `arguments`."
        )
    names = [name for name, _ in module.named_parameters()]
    if "weight_ih_l0" not in names:
        raise UsageError(
            f"{target} is not an LSTM: its parameters are {', '.join(names)}, not weight_ih_l0, ..."
            if names
            else f"{target} is not an LSTM: it has no parameters."
        )
    from .torch_module import TorchModule

    return TorchModule(target, factory, version, moved=not _takes_device_and_dtype(factory))


def _takes_device_and_dtype(factory: Any) -> bool:
    torch = importlib.import_module("torch")
    try:
        factory(2, 3, device="cpu", dtype=torch.float32)
    except TypeError:
        return False
    except BaseException as error:
        if is_interrupt(error):
            raise
    return True


def _version(module: ModuleType) -> str:
    package = module.__name__.partition(".")[0]
    installed = _installed_version(package)
    if installed is not None:
        return installed
    return str(getattr(sys.modules.get(package), "__version__", UNKNOWN_VERSION))


@cache  # reading it takes long for packages such as torch
def _installed_version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _one_line(error: BaseException) -> str:
    message = " ".join(clean_text(error).split())
    return f"{type(error).__name__}: {message[:300]}" if message else type(error).__name__
