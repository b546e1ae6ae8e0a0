"""Options: every reader gets the values that were given."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser, Namespace
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from lstm_conformance.reports.results import AskedResult
from lstm_conformance.runner.session.options import (
    DEFAULT_TARGET,
    PYTEST_PREFIX,
    Options,
    recorded_options,
)
from lstm_conformance.spec.usage_error import UsageError

# A value of each option, as text, that differs from the default.
TEXTS: dict[str, list[str]] = {
    "target": ["reference"],
    "program": ["./lstm"],
    "python": ["/usr/bin/python"],
    "isolate": [],
    "time_limit": ["3"],
    "memory_limit": ["2.5"],
    "profile": ["smoke"],
    "seed": ["7"],
    "dtypes": ["float32", "float64"],
    "working_precision": ["tf32"],
    "devices": ["cuda", "meta"],
    "clauses": ["EQ-1", "EQ-2"],
    "kinds": ["numbers", "side effects"],
    "strict": [],
    "required": ["packed"],
    "without": ["states", "dropout"],
    "sizes": ["hidden_size=9", "seq_len=7 batch_size=3"],
    "case": ["v1 input_size=1"],
    "known_deviations": ["known.toml"],
    "shard": ["1/2"],
    "max_time": ["5m"],
    "resume": ["before.json"],
    "baseline": ["baseline.json"],
    "no_diagnosis": [],
    "examples": ["examples"],
    "json": ["results.json"],
    "markdown": ["report.md"],
    "workers": ["11"],
    "max_failures": ["4"],
    "verbose": [],
    "quiet": [],
}

# The target of a command line with the option, if it is not the reference.
TOGETHER = {"python": ["reference"], "program": []}

NOT_IN_PYTEST = ("baseline", "markdown", "workers", "max_failures", "verbose", "quiet")

# The options that the process of isolated cases needs: how to make the implementation, and how to
# judge its cases.
ISOLATED = {
    "target", "program", "python", "time_limit", "memory_limit", "profile", "seed", "dtypes",
    "devices", "required", "without", "known_deviations", "working_precision",
}  # fmt: skip


def flag(name: str) -> str:
    return str(next(f for f in fields(Options) if f.name == name).metadata["option"].flag)


def words(name: str, prefix: str = "") -> list[str]:
    """The option ``name`` on a command line."""
    if name == "target":
        return [f"{prefix}implementation={TEXTS[name][0]}"] if prefix else TEXTS[name]
    option = flag(name).replace("--", prefix) if prefix else flag(name)
    if not TEXTS[name]:
        return [option]
    return [word for text in TEXTS[name] for word in (option, text)]


def from_command(*arguments: str) -> Options:
    parser = ArgumentParser(exit_on_error=False)
    Options.add_to_command(parser)
    return Options.from_command(parser.parse_args(arguments))


class Group:
    """A group of options of pytest, by argparse."""

    def __init__(self) -> None:
        self.parser = ArgumentParser()

    def addoption(self, *names: str, **how: Any) -> None:
        self.parser.add_argument(*names, **how)


def from_pytest(*arguments: str) -> Options:
    group: Any = Group()
    Options.add_to_pytest(group)
    return Options.from_pytest(group.parser.parse_args(arguments))


def test_every_option_is_tried_here() -> None:
    assert [*TEXTS] == [f.name for f in fields(Options) if f.name != "progress"]


@pytest.mark.parametrize("name", TEXTS)
def test_one_option_is_given_and_read(name: str) -> None:
    target = [] if name == "target" else TOGETHER.get(name, ["reference"])
    options = from_command(*target, *words(name))
    default = Options(target=target[0] if target else None)
    changed = {f.name for f in fields(Options)}
    changed = {n for n in changed if getattr(options, n) != getattr(default, n)}
    assert changed == {name}
    assert Options.from_json(options.to_json()) == options


@pytest.mark.parametrize("name", [n for n in TEXTS if n not in NOT_IN_PYTEST])
def test_pytest_reads_the_same(name: str) -> None:
    together = {"python": ["--lstm-implementation=reference"]}.get(name, [])
    options = from_pytest(*together, *words(name, PYTEST_PREFIX))
    target = TOGETHER.get(name, [DEFAULT_TARGET])
    expected = from_command(*([] if name == "target" else target), *words(name))
    assert options == expected


def test_isolated_cases_are_judged_as_asked_and_know_nothing_else() -> None:
    for name in TEXTS:
        target = [] if name == "target" else TOGETHER.get(name, ["reference"])
        options = from_command(*target, *words(name))
        handed_over = options.for_isolated_cases()
        kept = getattr(handed_over, name) == getattr(options, name)
        assert kept == (name in ISOLATED), name


def test_recorded_options_are_part_of_what_was_asked() -> None:
    assert set(recorded_options()) <= set(AskedResult.__annotations__) | set(
        AskedResult.__required_keys__
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--seed", "-1"], "'-1' is no whole number"),
        (["--seed", "1.5"], "'1.5' is no whole number"),
        (["--time-limit", "nan"], "'nan' is no number above 0"),
        (["--time-limit", "inf"], "'inf' is no number above 0"),
        (["--profile", "quick"], "there is no profile 'quick': choose from smoke, default"),
        (["--dtype", "int8"], "there is no dtype 'int8'"),
        (["--clause", "EQ-999"], "there is no clause 'EQ-999'"),
        (["--without", "speed"], "there is no capability 'speed'"),
        (["--shard", "3/2"], "'3/2' is no shard"),
        (["--shard", "1/99999"], "and 10,000 are possible"),
        (["--max-time", "soon"], "'soon' is no time"),
        (["-n", "many"], "'many' is no whole number"),
    ],
)
def test_values_that_are_refused(arguments: list[str], says: str) -> None:
    with pytest.raises(argparse.ArgumentError, match=says):
        from_command("reference", *arguments)
    if arguments[0].startswith("--"):
        with pytest.raises(UsageError, match=f"{PYTEST_PREFIX}.*{says}"):
            from_pytest(arguments[0].replace("--", PYTEST_PREFIX), arguments[1])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "give a TARGET or --exec"),
        (["reference", "--exec", "x"], "give a TARGET or --exec"),
        (["--exec", "x", "--isolate"], "--isolate do not go with it"),
        (["reference", "--case", "v1", "--shard", "1/2"], "--shard does not go with it"),
        (["reference", "--shard", "1/2", "--profile", "thorough"], "needs --seed"),
    ],
)
def test_options_that_contradict_each_other(arguments: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        from_command(*arguments)


def test_nothing_is_given() -> None:
    assert from_pytest() == Options(target=DEFAULT_TARGET)
    assert Options.from_pytest(Namespace()) == Options(target=DEFAULT_TARGET)
    assert Options.from_json(
        Options(known_deviations=Path("a")).to_json()
    ).known_deviations == Path("a")
