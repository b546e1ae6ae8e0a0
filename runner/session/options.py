"""What was asked for: every option of ``check``, described once.

The command line, the pytest plugin, the process that runs pytest, the process that judges isolated
cases and the results all read it here. To add an option, add a field.
"""

# ruff: noqa: RUF009 - the calls describe fields, as dataclasses.field does

from __future__ import annotations

import json
import secrets
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...spec.usage_error import UsageError
from .option_values import (
    capability,
    clauses,
    dtype,
    duration,
    kind,
    positive_number,
    profile,
    shard,
    sizes,
    whole_number,
    workers,
    working_precision,
)

if TYPE_CHECKING:
    import pytest

    from ...spec.clause import Kind

__all__ = [
    "DEFAULT_TARGET",
    "PROGRESS_FILE",
    "PYTEST_PREFIX",
    "Options",
    "ValueKind",
    "argument_type",
    "option_value",
    "recorded_options",
    "settings_by_key",
]

DEFAULT_TARGET = "torch.nn:LSTM"

PYTEST_PREFIX = "--lstm-"

# In the folder of a run: tells how far it has come.
PROGRESS_FILE = "progress"


@dataclass(frozen=True)
class _Option:
    """How the value of a field is given, and where it goes.

    Attributes:
        help: one line for ``--help``.
        flag: on the command line; empty if it is not there.
        short: another name of ``flag``, of one letter; empty if it has none.
        pytest_flag: in pytest; empty if it is not there.
        metavar: stands for the value; empty for a switch.
        parse: from text to the value; raises ValueError.
        repeatable: whether it can be given several times.
        recorded: name in the results; empty if it is not there.
        isolated: whether it reaches the process that judges isolated cases. That process judges
            the cases that it is given, so it needs to know how, and nothing else.
    """

    help: str
    flag: str = ""
    pytest_flag: str = ""
    metavar: str = ""
    parse: Callable[[str], Any] = str
    repeatable: bool = False
    recorded: str = ""
    isolated: bool = False
    short: str = ""


def _option(
    default: Any,
    flag: str,
    metavar: str,
    help_text: str,
    *,
    parse: Callable[[str], Any] = str,
    in_pytest: bool = True,
    recorded: str = "",
    isolated: bool = False,
    short: str = "",
) -> Any:
    """A field of :class:`Options`; one that is a tuple by default is repeatable."""
    name = flag.removeprefix("--")
    described = _Option(
        help=help_text,
        flag=flag,
        pytest_flag=PYTEST_PREFIX + name if in_pytest else "",
        metavar=metavar,
        parse=parse,
        repeatable=default == (),
        recorded=recorded,
        isolated=isolated,
        short=short,
    )
    return field(default=default, metadata={"option": described})


@dataclass(frozen=True)
class Options:
    """The options of ``check``. Empty tuples stand for the defaults that the help names."""

    target: str | None = field(
        default=None,
        metadata={
            "option": _Option(
                help="package.module:Attribute, path/to/file.py:Attribute, or the name of an "
                "adapter; an attribute is called like torch.nn.LSTM",
                flag="target",
                pytest_flag=f"{PYTEST_PREFIX}implementation",
                metavar="TARGET",
                isolated=True,
            )
        },
    )
    program: str | None = _option(
        None,
        "--exec",
        "COMMAND",
        "a program to be judged instead (docs/protocol.md)",
        isolated=True,
    )
    python: str | None = _option(
        None,
        "--python",
        "PATH",
        "interpreter in which TARGET is run; it needs NumPy and safetensors",
        isolated=True,
    )
    isolate: bool = _option(False, "--isolate", "", "judge every case in a process that may crash")
    time_limit: float = _option(
        120.0, "--time-limit", "SECONDS", "for a case in such a process (default: 120)",
        parse=positive_number, isolated=True,
    )  # fmt: skip
    memory_limit: float = _option(
        8.0, "--memory-limit", "GIB", "for such a process (default: 8)",
        parse=positive_number, isolated=True,
    )  # fmt: skip
    profile: str = _option(
        "default", "--profile", "NAME", "how much is judged: smoke, default or thorough",
        parse=profile, recorded="profile", isolated=True,
    )  # fmt: skip
    seed: int | None = _option(
        None, "--seed", "N", "from which all cases are drawn (default: 0; thorough draws one)",
        parse=whole_number, recorded="seed", isolated=True,
    )  # fmt: skip
    dtypes: tuple[str, ...] = _option(
        (), "--dtype", "NAME", "judge only this dtype; repeatable (default: all)",
        parse=dtype, recorded="dtypes", isolated=True,
    )  # fmt: skip
    working_precision: str = _option(
        "", "--working-precision", "FORMAT",
        "factors of products of float32 may be rounded to tf32, bfloat16 or float16",
        parse=working_precision, recorded="working_precision", isolated=True,
    )  # fmt: skip
    devices: tuple[str, ...] = _option(
        (), "--device", "NAME", "judge on this device; repeatable (default: cpu)",
        recorded="devices", isolated=True,
    )  # fmt: skip
    clauses: tuple[str, ...] = _option(
        (), "--clause", "ID",
        "judge only this clause, this chapter (EQ), clauses by a pattern ('PACK-*'), or several "
        "with commas between them; repeatable (default: all)",
        parse=clauses,
    )  # fmt: skip
    kinds: tuple[Kind, ...] = _option(
        (), "--only", "KIND",
        "judge only clauses of this kind: numbers, interface, 'side effects' or 'argument checks'; "
        "repeatable",
        parse=kind, recorded="kinds",
    )  # fmt: skip
    strict: bool = _option(
        False, "--strict", "", "a broken SHOULD fails the gate, too", recorded="strict"
    )
    required: tuple[str, ...] = _option(
        (), "--require", "CAPABILITY", "fail if it is missing; repeatable",
        parse=capability, recorded="required", isolated=True,
    )  # fmt: skip
    without: tuple[str, ...] = _option(
        (), "--without", "CAPABILITY", "do not use it, as if it were missing; repeatable",
        parse=capability, recorded="without", isolated=True,
    )  # fmt: skip
    sizes: tuple[str, ...] = _option(
        (), "--sizes", "SIZES",
        'judge these sizes besides, as "hidden_size=1024 batch_size=64 seq_len=512"; repeatable',
        parse=sizes, recorded="sizes",
    )  # fmt: skip
    case: str | None = _option(
        None, "--case", "LINE",
        "judge one case, given by its line, by the clauses named or by COMB",
        recorded="case",
    )  # fmt: skip
    known_deviations: Path | None = _option(
        None, "--known-deviations", "FILE",
        "clauses that are known to be broken, each with a reason (TOML), or the name of an adapter "
        "whose file is shipped (torch)",
        parse=Path, isolated=True,
    )  # fmt: skip
    shard: str | None = _option(
        None, "--shard", "I/N", "judge a part, to be merged (docs/gate.md)",
        parse=shard, recorded="shard",
    )  # fmt: skip
    max_time: float | None = _option(
        None, "--max-time", "TIME",
        "as 90s, 5m: judge the most informative cases first, and say what was not reached",
        parse=duration,
    )  # fmt: skip
    resume: Path | None = _option(
        None, "--resume", "RESULTS", "judge only what these results lack, and join both", parse=Path
    )
    baseline: Path | None = _option(
        None, "--baseline", "RESULTS", "fail only on what got worse than in these results",
        parse=Path, in_pytest=False,
    )  # fmt: skip
    no_diagnosis: bool = _option(
        False, "--no-diagnosis", "", "do not look for what a failing implementation does instead"
    )
    examples: tuple[str, ...] = _option(
        (), "--examples", "DIR",
        "try first what failed before, kept in a folder, redis://HOST, or github:OWNER/REPO "
        "(docs/gate.md); repeatable",
    )  # fmt: skip
    json: Path | None = _option(None, "--json", "FILE", "write the results", parse=Path)
    markdown: Path | None = _option(
        None, "--markdown", "FILE", "write a report", parse=Path, in_pytest=False
    )
    workers: int | None = _option(
        None, "-n", "N",
        "worker processes, 0 for none (default: one for each processor, at most 8; none for few "
        "clauses)",
        parse=workers, in_pytest=False,
    )  # fmt: skip
    max_failures: int = _option(
        0, "--max-failures", "N", "stop after this many failing tests (default: never)",
        parse=whole_number, in_pytest=False,
    )  # fmt: skip
    verbose: bool = _option(
        False, "--verbose", "", "print the table of clauses, and programs that show the failures",
        in_pytest=False, short="-v",
    )  # fmt: skip
    quiet: bool = _option(
        False,
        "--quiet",
        "",
        "print the verdict and the gate's answer alone",
        in_pytest=False,
        short="-q",
    )
    progress: bool = field(
        default=False,
        metadata={
            "option": _Option(
                help="show a progress bar on standard error",
                pytest_flag=f"{PYTEST_PREFIX}progress",
            )
        },
    )

    # ---------------------------------------------------------------- from what users give

    @classmethod
    def add_to_command(cls, parser: ArgumentParser, names: Iterable[str] | None = None) -> None:
        """Adds the options of the command line to ``parser``; only some if ``names`` are given.

        The help has them in groups if all are added.
        """
        groups = _GROUPS if names is None else {"": names}
        for title, in_group in groups.items():
            add = (parser.add_argument_group(title) if title else parser).add_argument
            for name in in_group:
                option = _OPTIONS[name]
                _add(add, name, option.flag, option, argument_type(option.parse))

    @classmethod
    def from_command(
        cls, arguments: Namespace, settings: Mapping[str, Any] | None = None
    ) -> Options:
        """The options that ``parser`` of :meth:`add_to_command` read.

        Args:
            arguments: of the command line.
            settings: field to its value where the command line has none. What contradicts the
                command line is left out.

        Raises:
            UsageError: two of them contradict each other.
        """
        settings = settings or {}
        used = {name: settings[name] for name in cls.used_settings(arguments, settings)}
        options = cls._of({**used, **_given(arguments)})
        if options.target is None and options.program is None:
            raise UsageError(
                "give a TARGET or --exec COMMAND, one of them, or a target in pyproject.toml."
            )
        return options

    @staticmethod
    def used_settings(arguments: Namespace, settings: Iterable[str]) -> list[str]:
        """Those of the fields ``settings`` that the command line does not replace."""
        given = _given(arguments)
        replaced = {*given, *(name for option in given for name in _REPLACES.get(option, ()))}
        return [name for name in settings if name not in replaced]

    @classmethod
    def add_to_pytest(cls, group: pytest.OptionGroup) -> None:
        """Adds the options of the pytest plugin to ``group``."""
        for name, option in _OPTIONS.items():
            if option.pytest_flag:
                _add(group.addoption, f"lstm_{name}", option.pytest_flag, option, str)

    @classmethod
    def from_pytest(cls, arguments: Namespace) -> Options:
        """The options that pytest read.

        Raises:
            UsageError: one of them has no such value, or two contradict each other.
        """
        given: dict[str, Any] = {}
        for name, option in _OPTIONS.items():
            value = getattr(arguments, f"lstm_{name}", None)
            if value is None or not option.pytest_flag:
                continue
            try:
                if option.repeatable:
                    given[name] = tuple(map(option.parse, value))
                else:
                    given[name] = option.parse(value) if option.metavar else bool(value)
            except ValueError as error:
                raise UsageError(f"{option.pytest_flag}: {error}.") from None
        if given.get("target") is None and given.get("program") is None:
            given["target"] = DEFAULT_TARGET
        return cls._of(given)

    @classmethod
    def from_keywords(cls, given: Mapping[str, Any]) -> Options:
        """The options that keywords of :func:`lstm_conformance.check` give.

        Args:
            given: name of a field to its value, as it is or as text. A repeatable option may have
                one value, and sizes may be a mapping. None stands for the default.

        Raises:
            UsageError: one of them has no such value, or two contradict each other.
        """
        plain: dict[str, Any] = {}
        for name, value in given.items():
            if value is None:
                continue
            try:
                plain[name] = option_value(name, value)
            except (ValueError, TypeError) as error:
                raise UsageError(f"{_KEYWORDS.get(name, name)}: {error}.") from None
        return cls._of(plain)

    @classmethod
    def _of(cls, given: Mapping[str, Any]) -> Options:
        plain: dict[str, Any] = {
            name: _flat(value) if _OPTIONS[name].repeatable else value
            for name, value in given.items()
        }
        options = cls(**plain)
        problem = options._contradiction()
        if problem:
            raise UsageError(problem)
        return options

    def _contradiction(self) -> str:
        if self.target is not None and self.program is not None:
            return "give a TARGET or --exec COMMAND, one of them."
        if self.target is not None and not self.target.strip():
            return "TARGET is empty: is a variable not set?"
        if self.program is not None and (self.python is not None or self.isolate):
            return "--exec is a process of its own: --python and --isolate do not go with it."
        if self.verbose and self.quiet:
            return "--verbose and --quiet contradict each other: give one of them."
        names = ("shard", "max_time", "resume", "baseline")
        given = [name for name in names if getattr(self, name) is not None]
        if self.kinds and (self.clauses or self.case is not None):
            other = "--clause" if self.clauses else "--case"
            return f"--only and {other} both say by which clauses to judge: give one of them."
        if self.case is not None and given:
            return f"--case judges one case: {_OPTIONS[given[0]].flag} does not go with it."
        if self.shard is not None and self.profile == "thorough" and self.seed is None:
            return "--shard with --profile thorough needs --seed N, the same for all shards."
        return ""

    # ---------------------------------------------------------------- to other processes

    def to_json(self) -> str:
        """The options as JSON, for a process with the same working folder."""
        return json.dumps(vars(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Options:
        """The options that :meth:`to_json` wrote."""
        plain = json.loads(text)
        for name, option in _OPTIONS.items():
            if option.repeatable:
                plain[name] = tuple(plain[name])
            elif option.parse is Path and plain[name] is not None:
                plain[name] = Path(plain[name])
        return cls(**plain)

    def for_isolated_cases(self) -> Options:
        """The options of the process that judges isolated cases; the others are the defaults."""
        kept = {name: getattr(self, name) for name, o in _OPTIONS.items() if o.isolated}
        return Options(**kept)

    # ---------------------------------------------------------------- in other words

    @property
    def target_text(self) -> str:
        """What is judged, as results and commands name it."""
        from ...adapters.target import target_text

        return target_text(self.target, self.program, self.python)

    @property
    def target_file(self) -> Path | None:
        """The file that the target names, if it names one."""
        name = (self.target or "").rpartition(":")[0]
        return Path(name) if name.endswith(".py") else None

    def with_seed(self) -> Options:
        """The same with a seed: the one that was given, a drawn one in profile thorough, or 0."""
        if self.seed is not None:
            return self
        explores = self.profile == "thorough"
        return replace(self, seed=secrets.randbelow(2**32) if explores else 0)


_OPTIONS: dict[str, _Option] = {f.name: f.metadata["option"] for f in fields(Options)}

# Fields whose keyword in Python has the name of the option, for messages.
_KEYWORDS = {"kinds": "only", "required": "require"}


# Without these, everything is judged. An empty list of them would mean the same by mistake.
_ALL_BY_DEFAULT = ("clauses", "kinds", "dtypes", "devices")

# Options of the command line, to the settings that they take the place of.
_REPLACES = {
    "program": ("target", "python", "isolate"),
    "target": ("program",),
    "clauses": ("kinds",),
    "kinds": ("clauses",),
    "case": ("kinds", "max_time"),
}

# Title in the help to the options under it.
_GROUPS = {
    "what is judged": (
        "target", "program", "python", "isolate", "time_limit", "memory_limit", "required",
        "without", "dtypes", "devices", "working_precision",
    ),
    "how much": (
        "profile", "clauses", "kinds", "sizes", "case", "seed", "max_time", "max_failures",
        "shard", "resume", "examples", "workers",
    ),
    "what fails the gate": ("known_deviations", "baseline", "strict"),
    "what is shown": ("verbose", "quiet", "no_diagnosis", "json", "markdown"),
}  # fmt: skip

# Options that are about one run, or about the machine.
_NO_SETTINGS = (
    "case", "shard", "resume", "baseline", "json", "markdown", "workers", "max_failures",
    "verbose", "quiet", "progress",
)  # fmt: skip


class ValueKind(Enum):
    """What a value of an option is outside of the command line, with its types."""

    SWITCH = (bool,)
    TEXTS = (str, list)
    NUMBER = (int, float)
    NUMBER_OR_TEXT = (int, float, str)
    TEXT = (str,)

    @classmethod
    def of(cls, name: str) -> ValueKind:
        """The kind of the field ``name``."""
        option = _OPTIONS[name]
        if option.repeatable:
            return cls.TEXTS
        if not option.metavar:
            return cls.SWITCH
        if option.parse is duration:
            return cls.NUMBER_OR_TEXT
        return cls.NUMBER if option.parse in (whole_number, positive_number) else cls.TEXT


def _given(arguments: Namespace) -> dict[str, Any]:
    """Field to its value, of those that the command line has. Zero is a value."""
    values = {name: getattr(arguments, name, None) for name in _OPTIONS}
    return {n: value for n, value in values.items() if value is not None and value is not False}


def settings_by_key() -> dict[str, str]:
    """Key in a file of settings, which is the option without dashes, to the field that it sets."""
    names = [name for name in _OPTIONS if name not in _NO_SETTINGS]
    return {_OPTIONS[name].flag.removeprefix("--"): name for name in names}


def option_value(name: str, value: Any) -> Any:
    """The value of the field ``name`` that is given as it is, or as text.

    Raises:
        ValueError or TypeError: there is no such value.
    """
    option = _OPTIONS[name]
    if option.repeatable:
        values = tuple(option.parse(text) for text in _texts(value))
        if not values and name in _ALL_BY_DEFAULT:
            raise ValueError("it is empty: leave it out for all")
        return values
    return option.parse(str(value)) if option.metavar else bool(value)


def _texts(value: Any) -> Iterable[str]:
    """The texts of a repeatable option: of one value, or of several."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Mapping):
        return (" ".join(f"{name}={number}" for name, number in value.items()),)
    return (text if isinstance(text, str) else next(iter(_texts(text))) for text in value)


def _flat(values: Iterable[Any]) -> tuple[Any, ...]:
    """``values``, each one once; a tuple stands for its elements."""
    tuples = (value if isinstance(value, tuple) else (value,) for value in values)
    return tuple(dict.fromkeys(element for several in tuples for element in several))


def recorded_options() -> dict[str, str]:
    """Field of the results to the option that it records."""
    return {o.recorded: o.flag for o in _OPTIONS.values() if o.recorded}


def _add(
    add: Callable[..., Any], name: str, flag: str, option: _Option, parse: Callable[[str], Any]
) -> None:
    how: dict[str, Any] = {"help": option.help, "default": None}
    if not option.metavar:
        how["action"] = "store_true"
        how["default"] = False
    else:
        how |= {"metavar": option.metavar, "type": parse}
        if option.repeatable:
            how["action"] = "append"
    if flag.startswith("-"):
        # pytest has short names of its own.
        short = [option.short] if option.short and flag == option.flag else []
        add(*short, flag, dest=name, **how)
    else:
        add(name, nargs="?", **how)


def argument_type(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """``parse`` as a type of argparse, which prints the message of its error."""

    def converted(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from None

    return converted
