"""Chapter PARAM: the parameters, their initial values, and what changes them.

The file is long because it has all tests of the chapter: a chapter is one file.
"""

from __future__ import annotations

import copy
import pickle
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lstm_conformance.reference.oracle import Expectation, expect
from lstm_conformance.runner.judging.chance import FALSE_ALARMS, scipy_stats
from lstm_conformance.runner.judging.comparison import Finding, holds, shape_message
from lstm_conformance.runner.judging.rules import (
    Rule,
    calls_without_gradients,
    on_bench,
    unless_refused,
)
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.runner.searching.checker import Checker
from lstm_conformance.spec.contract import ObservedTensor, Unsupported
from lstm_conformance.spec.precision import PRECISIONS
from lstm_conformance.spec.strategies import PLAIN, STACK, Domain

if TYPE_CHECKING:
    from lstm_conformance.adapters.torch_bench import Bench

Array = NDArray[np.float64]
Results = dict[str, ObservedTensor]

# All options that change the set of parameters, and no others.
ANY_PARAMETERS = PLAIN.but(
    num_layers=(1, 2, 3),
    bias=(False, True),
    bidirectional=(False, True),
    projection=(False, True),
    together=("bias", *STACK),
)
ANY_FORWARD = Domain(cotangents=((),))


def observed_parameters(bench: Bench, module: Any) -> dict[str, Array]:
    return {name: bench.observe(name, p).values for name, p in module.named_parameters()}


def results(bench: Bench, module: Any) -> Results:
    """The results of a call with the arguments of the case."""
    return bench.observe_all(bench.call(module, bench.arguments()))


def same_results(trial: Trial, first: Results, second: Results, note: str) -> Iterator[Finding]:
    """Whether two modules agree to within rounding. Both may be wrong."""
    noise = trial.expectation.noise
    expectation = Expectation({name: tensor.values for name, tensor in first.items()}, noise)
    for name, tensor in second.items():
        if first[name].values.shape == noise[name].shape:  # other clauses judge the shape
            yield trial.close(name, tensor, expectation, note)


def same_parameters(bench: Bench, module: Any, values: Mapping[str, Array]) -> Iterator[Finding]:
    """Whether the parameters of a module have exactly these values."""
    found = observed_parameters(bench, module)
    for name, value in values.items():
        same = name in found and np.array_equal(found[name], value)
        yield holds(name, same, "the parameter has other values")


# ---------------------------------------------------------------------- names and shapes


def names_of(bench: Bench) -> list[str]:
    return [name for name, _ in bench.any_module().named_parameters()]


def in_layers(bench: Bench, *roles: str) -> list[str]:
    """The names of ``roles`` in all layers, for the forward direction."""
    layers = range(bench.case.config.num_layers)
    return [f"{role}_l{layer}" for layer in layers for role in roles]


@pytest.mark.lstm_clause("PARAM-1")
def test_names(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        found = names_of(bench)
        for name in in_layers(bench, "weight_ih", "weight_hh"):
            yield holds(name, name in found, "the parameter is missing")
        roles = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        for name in found:
            known = name.removesuffix("_reverse") in in_layers(bench, *roles)
            yield holds(name, known, "the parameter is not documented")

    lstm_check.forall(ANY_PARAMETERS, on_bench(probe))


def present(roles: tuple[str, ...], option: str) -> Rule:
    """The rule that parameters of these roles exist if and only if ``option`` is set."""

    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        found, value = names_of(bench), getattr(trial.case.config, option)
        state = "is missing" if value else "exists"
        for name in in_layers(bench, *roles):
            right = (name in found) == bool(value)
            yield holds(name, right, f"the parameter {state} with {option}={value}")

    return on_bench(probe)


@pytest.mark.lstm_clause("PARAM-2")
def test_presence_of_biases(lstm_check: Checker) -> None:
    lstm_check.forall(ANY_PARAMETERS, present(("bias_ih", "bias_hh"), "bias"))


@pytest.mark.lstm_clause("PARAM-3")
def test_presence_of_weight_hr(lstm_check: Checker) -> None:
    lstm_check.forall(ANY_PARAMETERS, present(("weight_hr",), "proj_size"))


@pytest.mark.lstm_clause("PARAM-4")
def test_presence_of_the_reverse_direction(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        found, two = names_of(bench), trial.case.config.bidirectional
        forward = [name for name in found if not name.endswith("_reverse")]
        wanted = [f"{name}_reverse" for name in forward] if two else []
        for name in wanted:
            yield holds(name, name in found, "the parameter is missing")
        for name in (name for name in found if name not in forward):
            yield holds(name, name in wanted, f"the parameter exists with bidirectional={two}")
        yield holds("parameters", True, "")  # with one direction there is nothing to compare

    lstm_check.forall(ANY_PARAMETERS, on_bench(probe))


@pytest.mark.lstm_clause("PARAM-5")
def test_order(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        found, documented = names_of(bench), list(trial.case.config.parameter_shapes())
        in_order = [name for name in documented if name in found]
        known = [name for name in found if name in documented]
        yield holds("parameters", known == in_order, f"the order is {', '.join(known)}")

    lstm_check.forall(ANY_PARAMETERS, on_bench(probe))


def shapes_documented(*roles: str) -> Rule:
    """The rule that parameters of these roles, if they exist, have their documented shapes."""

    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        found = dict(bench.any_module().named_parameters())
        for name, shape in trial.case.config.parameter_shapes().items():
            if name.startswith(roles) and name in found:
                observed = tuple(found[name].shape)
                yield holds(name, observed == shape, shape_message(observed, shape))

    return on_bench(probe)


@pytest.mark.lstm_clause("PARAM-6")
def test_shape_of_weight_ih(lstm_check: Checker) -> None:
    lstm_check.forall(ANY_PARAMETERS, shapes_documented("weight_ih"))


@pytest.mark.lstm_clause("PARAM-7")
def test_shape_of_weight_hh(lstm_check: Checker) -> None:
    lstm_check.forall(ANY_PARAMETERS, shapes_documented("weight_hh"))


@pytest.mark.lstm_clause("PARAM-8")
def test_shapes_of_the_biases(lstm_check: Checker) -> None:
    lstm_check.forall(ANY_PARAMETERS.but(bias=(True,)), shapes_documented("bias_ih", "bias_hh"))


@pytest.mark.lstm_clause("PARAM-9")
def test_shape_of_weight_hr(lstm_check: Checker) -> None:
    lstm_check.forall(ANY_PARAMETERS.but(projection=(True,)), shapes_documented("weight_hr"))


@pytest.mark.lstm_clause("PARAM-10")
def test_learnable_attributes(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        module = bench.any_module()
        for name, parameter in module.named_parameters():
            attribute = getattr(module, name, None)
            yield holds(name, attribute is parameter, "the attribute is not the parameter")
            is_one = isinstance(parameter, bench.torch.nn.Parameter)
            yield holds(name, is_one, f"it is not a torch.nn.Parameter but a {type(parameter)}")
            yield holds(name, parameter.is_leaf, "it is not a leaf")
            yield holds(name, parameter.requires_grad, "it does not require a gradient")

    lstm_check.forall(ANY_PARAMETERS, on_bench(probe))


# -------------------------------------------------------------------------- initial values


def bound(trial: Trial) -> float:
    """The bound of initial values, rounded to the dtype."""
    exact = np.array(1 / np.sqrt(trial.case.config.hidden_size))
    return float(trial.case.precision.round(exact))


@pytest.mark.lstm_clause("PARAM-11")
def test_bounds_of_initial_values(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        limit = bound(trial)
        for name, values in observed_parameters(bench, bench.construct()).items():
            largest = np.abs(values).max()
            yield holds(
                name, largest <= limit, f"an initial value is {largest}, larger than {limit}"
            )

    domain = ANY_PARAMETERS.but(dtype=tuple(PRECISIONS), hidden_size=(1, 30))
    lstm_check.forall(domain, on_bench(probe))


# The values of each parameter that a test of their distribution needs, from many modules. So many
# distinguish a uniform distribution from a normal one with the same variance, whose distribution
# function differs by up to 0.057.
SAMPLE = 10_000

# With these sizes, all parameters have similar numbers of values, and few modules are enough.
# Projections come first, because only they have weight_hr.
ANY_LARGE_PARAMETERS = PLAIN.but(
    num_layers=(2, 1),
    bias=(True,),
    bidirectional=(True, False),
    projection=(True, False),
    hidden_size=(16, 32),
    input_size=(4, 32),
    proj_size=(12, 15),
)


def uniform(trial: Trial, new_parameters: Callable[[], dict[str, Array]]) -> Iterator[Finding]:
    """Whether the parameters of many calls of ``new_parameters`` are uniform.

    Raises:
        Unsupported: SciPy is not installed.
    """
    kstest = scipy_stats().kstest
    collected: dict[str, list[Array]] = {}
    numbers = Counter[str]()
    while not collected or any(numbers[name] < SAMPLE for name in collected):
        for name, values in new_parameters().items():
            rows = collected.setdefault(name, [])
            if numbers[name] < SAMPLE:
                rows.append(values.ravel())
                numbers[name] += values.size
    limit = bound(trial)
    for name, rows in collected.items():
        test = kstest(np.concatenate(rows), "uniform", args=(-limit, 2 * limit))
        message = (
            f"initial values are not uniform in +-{limit:.6g}: the distribution functions "
            f"differ by up to {test.statistic:.3g} (p = {test.pvalue:.1g})"
        )
        yield holds(name, test.pvalue >= FALSE_ALARMS, message)


@pytest.mark.lstm_clause("PARAM-12")
def test_distribution_of_initial_values(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        yield from uniform(trial, lambda: observed_parameters(bench, bench.construct()))

    lstm_check.forall(ANY_LARGE_PARAMETERS, on_bench(probe), at_most=3, shrink=False)


@pytest.mark.lstm_clause("PARAM-13")
def test_independence_of_initial_values(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        modules = [observed_parameters(bench, bench.construct()) for _ in range(2)]
        everything = np.concatenate([v.ravel() for module in modules for v in module.values()])
        numbers, times = np.unique(everything, return_counts=True)
        repeated = numbers[times > 1]
        for name, values in modules[1].items():
            # Numbers have 24 random bits: a few are equal by chance, but not half of a parameter.
            number = int(np.isin(values, repeated).sum())
            message = f"{number} of {values.size} initial values occur more than once"
            yield holds(name, number < values.size / 2, message)

    domain = ANY_PARAMETERS.but(num_layers=(1, 2), hidden_size=(12, 16))
    lstm_check.forall(domain, on_bench(probe))
    # More than 2^16 numbers in each weight.
    large = PLAIN.but(hidden_size=(132, 136), input_size=(132, 136), bias=(True,))
    lstm_check.forall(large, on_bench(probe), at_most=2, shrink=False)


@pytest.mark.lstm_clause("PARAM-14")
def test_seed(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        modules = []
        for _ in range(2):
            bench.torch.manual_seed(trial.case.seed)
            modules.append(bench.construct())
        yield from same_parameters(bench, modules[1], observed_parameters(bench, modules[0]))

    lstm_check.forall(ANY_PARAMETERS, on_bench(probe))


@pytest.mark.lstm_clause("PARAM-15")
def test_reset_parameters(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        module = bench.construct()

        def new_parameters() -> dict[str, Array]:
            with bench.torch.no_grad():
                for parameter in module.parameters():
                    parameter.fill_(1.0)  # outside the bounds, so that unchanged values show
            before = [*module.parameters()]
            module.reset_parameters()
            kept.append(all(p is q for p, q in zip(module.parameters(), before, strict=True)))
            return observed_parameters(bench, module)

        there = callable(getattr(module, "reset_parameters", None))
        yield holds("reset_parameters", there, "the method is missing")
        kept: list[bool] = []
        if there:
            yield from uniform(trial, new_parameters)
            yield holds("reset_parameters", all(kept), "there are other parameters than before")
            # A constructor's arguments, or the default dtype, are not asked again.
            converted = bench.construct().bfloat16()
            converted.reset_parameters()
            for name, parameter in converted.named_parameters():
                dtype = str(parameter.dtype).removeprefix("torch.")
                same = parameter.dtype == bench.torch.bfloat16
                yield holds(name, same, f"dtype is {dtype} after bfloat16() and reset_parameters()")

    lstm_check.forall(ANY_LARGE_PARAMETERS, on_bench(probe), at_most=3, shrink=False)


# ------------------------------------------------------------------------ saved and loaded


@pytest.mark.lstm_clause("PARAM-16")
def test_keys_of_state_dict(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        module = bench.any_module()
        state, parameters = module.state_dict(), dict(module.named_parameters())
        for name in state:
            yield holds(name, name in parameters, "a key of state_dict is not a parameter")
        for name, parameter in parameters.items():
            same = name in state and bench.torch.equal(state[name], parameter)
            yield holds(name, same, "state_dict has other values than the parameter")
        within = parent_of(bench, module).state_dict()
        for name in parameters:
            yield holds(name, f"0.{name}" in within, "state_dict of a parent module lacks it")
        attached = module.state_dict(keep_vars=True)
        for name, parameter in parameters.items():
            requires = name in attached and attached[name].requires_grad
            yield holds(name, requires, "it is detached in state_dict(keep_vars=True)")
            with bench.torch.no_grad():
                state.get(name, parameter).mul_(2)  # as averages of parameters are made
            same = bench.torch.equal(state.get(name, parameter), parameter)
            yield holds(name, same, "state_dict has a copy of the parameter")
        further = bench.torch.nn.Parameter(bench.tensor([1.0]))
        module.register_parameter("further", further)  # as a subclass may
        yield holds("further", "further" in module.state_dict(), "state_dict lacks a new parameter")

    lstm_check.forall(ANY_PARAMETERS, on_bench(probe))


@pytest.mark.lstm_clause("PARAM-17")
def test_round_trip_of_state_dict(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        module, other = bench.module(), bench.construct()
        other.load_state_dict(module.state_dict(), strict=True)
        yield from same_parameters(bench, other, observed_parameters(bench, module))
        note = "after loading the state_dict of another module"
        yield from same_results(trial, results(bench, module), results(bench, other), note)
        yield from apart(bench, module, other)
        yield from only_what_fits(bench, module, other)

    lstm_check.forall(ANY_FORWARD, on_bench(probe))


def apart(bench: Bench, module: Any, other: Any) -> Iterator[Finding]:
    """Whether changes of ``other``, which has loaded the parameters of ``module``, stay there."""
    before = observed_parameters(bench, module)
    with bench.torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1)
    for name, value in observed_parameters(bench, module).items():
        same = np.array_equal(value, before[name])
        yield holds(name, same, "it changes with that of a module that loaded it")


def only_what_fits(bench: Bench, module: Any, other: Any) -> Iterator[Finding]:
    """Whether a state_dict is refused that lacks a parameter, or has one of another shape. One in
    another dtype is converted."""
    state = dict(module.state_dict())
    name = list(state)[-1]
    lacking = {key: value for key, value in state.items() if key != name}
    yield holds(name, raises(other, lacking), "a state_dict that lacks it was loaded strictly")
    further = {**state, f"{name}_further": state[name]}
    yield holds(name, raises(other, further), "a state_dict with one more was loaded strictly")
    name = "weight_ih_l0"  # always of several rows: that of a projection may have one
    smaller = {**state, name: state[name][:1]}
    yield holds(name, raises(other, smaller), "one row was loaded in place of all")
    narrow = bench.torch.float32 if bench.dtype == bench.torch.float64 else bench.torch.float64
    other.load_state_dict({key: value.to(narrow) for key, value in state.items()})
    for key, parameter in other.named_parameters():
        dtype = str(parameter.dtype).removeprefix("torch.")
        same = parameter.dtype == bench.dtype
        yield holds(key, same, f"dtype is {dtype} after a state_dict in it was loaded")


def raises(module: Any, state: Mapping[str, Any]) -> bool:
    """Whether ``module`` refuses to load ``state``."""
    try:
        module.load_state_dict(state, strict=True)
    except Exception:  # whatever it raises
        return True
    return False


def torch_lstm(bench: Bench) -> Any:
    """A torch.nn.LSTM with the constructor arguments of the case."""
    config, device = vars(bench.case.config), bench.case.device
    return bench.torch.nn.LSTM(**config, device=device, dtype=bench.dtype)


@pytest.mark.lstm_clause("PARAM-18")
def test_state_dict_from_torch(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        reference, module = torch_lstm(bench), bench.construct()
        bench.load(reference)
        module.load_state_dict(reference.state_dict(), strict=True)
        yield from same_parameters(bench, module, observed_parameters(bench, reference))
        # Compared with a module whose parameters were written one by one.
        note = "after loading the state_dict of a torch.nn.LSTM"
        yield from same_results(trial, results(bench, bench.module()), results(bench, module), note)

    lstm_check.forall(ANY_FORWARD, on_bench(probe))


@pytest.mark.lstm_clause("PARAM-19")
def test_state_dict_for_torch(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        reference, module = torch_lstm(bench), bench.module()
        reference.load_state_dict(module.state_dict(), strict=True)
        yield from same_parameters(bench, reference, observed_parameters(bench, module))

    lstm_check.forall(ANY_PARAMETERS, on_bench(probe))


# --------------------------------------------------------------- changed between two calls


def right_after_change(negate: Callable[[Bench, Any], None], how: str = "changed") -> Rule:
    """The rule that calls are right after all parameters change sign, and after they change back.

    Args:
        negate: changes the sign of the parameters of a module.
        how: it does that, in words.
    """

    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        module = bench.module()
        if hasattr(module, "flatten_parameters"):
            module.flatten_parameters()  # copies must not be kept
        values = observed_parameters(bench, module)
        opposite = trial.case.with_values({name: -value for name, value in values.items()})
        _ = [*results_in_each_mode(bench, module)]
        for expectation in (expect(opposite), trial.expectation):
            negate(bench, module)
            for mode, observed in results_in_each_mode(bench, module):
                note = f"after the parameters {how}, {mode}"
                yield from trial.close_all(observed, list(observed), note, expectation)
            if hasattr(module, "flatten_parameters"):
                module.flatten_parameters()  # nothing may come back
                observed = results(bench, module)
                note = f"after the parameters {how}, and flatten_parameters()"
                yield from trial.close_all(observed, list(observed), note, expectation)

    return on_bench(probe)


def results_in_each_mode(bench: Bench, module: Any) -> Iterator[tuple[str, Results]]:
    """Results with and without gradients: a module may keep weights in only one of these modes."""
    yield "with gradients", results(bench, module)
    for mode, outputs in calls_without_gradients(bench, module):
        yield mode, bench.observe_all(outputs)


@pytest.mark.lstm_clause("PARAM-20")
def test_step_of_an_optimizer(lstm_check: Checker) -> None:
    def negate(bench: Bench, module: Any) -> None:
        change_signs_in_a_step(bench.torch.optim.SGD(module.parameters(), lr=1.0))

    lstm_check.forall(ANY_FORWARD, right_after_change(negate))
    lstm_check.forall(ANY_FORWARD, on_bench(optimizer_before_flattening), at_most=6)


def optimizer_before_flattening(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """The parameters that an optimizer has are still those of the module."""
    module = bench.module()
    optimizer = bench.torch.optim.SGD(module.parameters(), lr=1.0)
    if hasattr(module, "flatten_parameters"):
        module.flatten_parameters()
    yield from right_after_step(trial, bench, module, optimizer, "flatten_parameters()")


def change_signs_in_a_step(optimizer: Any) -> None:
    """Of all parameters that ``optimizer`` has, if its rate is 1."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = 2 * parameter.detach()
    optimizer.step()


def right_after_step(
    trial: Trial, bench: Bench, module: Any, optimizer: Any, since: str
) -> Iterator[Finding]:
    """Whether a step that changes signs is seen by a call. ``since`` is after the optimizer."""
    values = observed_parameters(bench, module)
    change_signs_in_a_step(optimizer)
    observed = results(bench, module)
    changed = trial.case.with_values({name: -value for name, value in values.items()})
    note = f"after a step of an optimizer that was made before {since}"
    yield from trial.close_all(observed, list(observed), note, expect(changed))


@pytest.mark.lstm_clause("PARAM-21")
def test_parameters_changed_through_data(lstm_check: Checker) -> None:
    def write(bench: Bench, module: Any) -> None:
        for parameter in module.parameters():
            parameter.data.neg_()

    def replace(bench: Bench, module: Any) -> None:
        for parameter in module.parameters():
            parameter.data = -parameter.data

    for negate in (write, replace):
        lstm_check.forall(ANY_FORWARD, right_after_change(negate), at_most=30)
    lstm_check.forall(ANY_FORWARD, right_after_each("", change_signs), at_most=6)
    inner = ANY_FORWARD.but(input_size=(3, 6), hidden_size=(3, 6), proj_size=(2, 4))
    lstm_check.forall(inner, right_after_each("two numbers of ", change_two_numbers), at_most=4)
    lstm_check.forall(ANY_FORWARD, unless_refused("autocast", on_bench(seen_under_autocast)), 10)


def seen_under_autocast(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """A module may keep its weights in bfloat16, as autocast itself does until its block ends."""
    device = bench.case.device.partition(":")[0]

    def called(module: Any) -> Results:
        with bench.torch.autocast(device, bench.torch.bfloat16), mode():
            return results(bench, module)

    for mode in (bench.torch.enable_grad, bench.torch.no_grad):
        module, other = bench.module(), bench.module()
        called(module)
        for parameter in (*module.parameters(), *other.parameters()):
            parameter.data.neg_()
        # Of the other one, this is the first call.
        note = f"after the parameters changed, under autocast, in {mode.__name__}"
        yield from same_results(trial, called(other), called(module), note)


def change_signs(numbers: Any) -> None:
    """Of an array or a tensor."""
    numbers *= -1


def change_two_numbers(numbers: Any) -> None:
    """In the midst of an array or a tensor, whose sum stays."""
    middle = tuple(size // 2 for size in numbers.shape)
    numbers[middle] += 1
    numbers[(*middle[:-1], middle[-1] - 1)] -= 1


def right_after_each(what: str, change: Callable[[Any], None]) -> Rule:
    """The rule that calls are right after parameters changed, one after the other.

    A module may look for changes in some of them only, or in some of their numbers.
    """

    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        module, changed = bench.module(), {}
        _ = [*results_in_each_mode(bench, module)]
        for name, value in observed_parameters(bench, module).items():
            change(value)
            changed[name] = value
            change(getattr(module, name).data)
            expectation = expect(trial.case.with_values(changed))
            for mode, observed in results_in_each_mode(bench, module):
                note = f"after {what}{name} changed, {mode}"
                yield from trial.close_all(observed, list(observed), note, expectation)

    return on_bench(probe)


@pytest.mark.lstm_clause("PARAM-22")
def test_parameters_loaded_between_calls(lstm_check: Checker) -> None:
    def loaded(**options: Any) -> Rule:
        def negate(bench: Bench, module: Any) -> None:
            state = {name: -p.detach() for name, p in module.named_parameters()}
            module.load_state_dict(state, **options)

        given = "".join(f", {name}={value}" for name, value in options.items())
        return right_after_change(negate, f"were loaded by load_state_dict(a dict{given})")

    for options in ({}, {"assign": True}):
        lstm_check.forall(ANY_FORWARD, loaded(**options), at_most=30)
    lstm_check.forall(ANY_FORWARD, on_bench(some_loaded), at_most=6)
    lstm_check.forall(ANY_FORWARD, on_bench(optimizer_before_loading), at_most=6)


def some_loaded(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """With ``strict=False``, what is missing stays as it was."""
    module = bench.module()
    values = observed_parameters(bench, module)
    state = {name: -p.detach() for name, p in [*module.named_parameters()][::2]}
    found = module.load_state_dict({**state, "further": next(module.parameters())}, strict=False)
    for what, keys in (("missing", {*values} - {*state}), ("unexpected", {"further"})):
        told = getattr(found, f"{what}_keys", None)
        same = isinstance(told, list) and {*told} == keys
        yield holds("load_state_dict", same, f"{what}_keys of what it returns is {told}")
    changed = {name: -value if name in state else value for name, value in values.items()}
    yield from same_parameters(bench, module, changed)


def optimizer_before_loading(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """The parameters that an optimizer has are still those of the module."""
    module = bench.module()
    optimizer = bench.torch.optim.SGD(module.parameters(), lr=1.0)
    state = {name: -p.detach() for name, p in module.named_parameters()}
    module.load_state_dict(state)
    yield from right_after_step(trial, bench, module, optimizer, "loading")


@pytest.mark.lstm_clause("PARAM-23")
def test_assigned_parameters(lstm_check: Checker) -> None:
    def negate(bench: Bench, module: Any) -> None:
        for name, parameter in list(module.named_parameters()):
            setattr(module, name, bench.torch.nn.Parameter(-parameter.detach()))

    lstm_check.forall(ANY_FORWARD, right_after_change(negate))


# ----------------------------------------------------------------------- moved and copied

# The methods of a module that convert it to a dtype.
CONVERSIONS = {
    "float64": "double",
    "float32": "float",
    "bfloat16": "bfloat16",
    "float16": "half",
}


@pytest.mark.lstm_clause("PARAM-24")
def test_conversion_to_another_dtype(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        case = trial.case
        others = [
            name
            for name in ("float32", "float64")
            if name != case.dtype and name in trial.implementation.capabilities
        ]
        if not others:
            raise Unsupported(f"no dtype to convert to {case.dtype}")
        first = others[0]
        rounded = {
            name: PRECISIONS[first].round(case.arguments()[name])
            for name in case.config.parameter_shapes()
        }
        # The case rounds these values again, to its own dtype.
        converted = case.with_values(rounded)
        expectation = expect(converted)
        values = {name: converted.arguments()[name] for name in rounded}
        by_name = CONVERSIONS[case.dtype]
        ways: dict[str, Callable[[Any], Any]] = {
            "to(dtype)": lambda module: module.to(bench.dtype),
            f"{by_name}()": lambda module: getattr(module, by_name)(),
            f"{by_name}() of a parent": lambda module: getattr(parent_of(bench, module), by_name)(),
        }
        for way, convert in ways.items():
            dtype = getattr(bench.torch, first)
            module = bench.construct(dtype=dtype)
            bench.load(module)
            # This call may leave cached values of the first dtype.
            bench.call(module, {name: t.to(dtype) for name, t in bench.arguments().items()})
            module.requires_grad_(False)
            convert(module)
            for name, parameter in module.named_parameters():
                yield holds(name, not parameter.requires_grad, f"is not frozen any more, by {way}")
            yield from same_parameters(bench, module, values)
            for name, tensor in results(bench, module).items():
                yield holds(name, tensor.dtype == case.dtype, f"dtype is {tensor.dtype}")
                yield trial.close(name, tensor, expectation, f"after {way}")
        yield from converted_there_and_back(trial, bench)

    lstm_check.forall(ANY_FORWARD.but(dtype=tuple(PRECISIONS)), on_bench(probe))


def parent_of(bench: Bench, module: Any) -> Any:
    """A module that has ``module``. Its methods reach the parameters in another way."""
    return bench.torch.nn.Sequential(module)


def converted_there_and_back(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """``half()`` loses digits, and the conversion that follows does not bring them back."""
    case, names = trial.case, trial.case.config.parameter_shapes()
    # torch converts float64 to float16 by way of float32. Numbers of float32 are rounded once.
    exact = {name: PRECISIONS["float32"].round(case.arguments()[name]) for name in names}
    rounded = {name: PRECISIONS["float16"].round(value) for name, value in exact.items()}
    back = CONVERSIONS[case.dtype]
    module = bench.construct()
    bench.load(module, case.with_values(exact))
    bench.call(module, bench.arguments())
    getattr(module.half(), back)()
    yield from same_parameters(bench, module, rounded)
    expectation = expect(case.with_values(rounded))
    for name, tensor in results(bench, module).items():
        yield trial.close(name, tensor, expectation, f"after half().{back}()")


@pytest.mark.lstm_clause("PARAM-25")
def test_move_to_another_device(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        module = bench.any_module()
        before = {name: tuple(p.shape) for name, p in module.named_parameters()}
        moved = dict(module.to("meta").named_parameters())
        yield holds("parameters", set(moved) == set(before), f"they are {', '.join(moved)}")
        for name, parameter in moved.items():
            device = parameter.device.type
            yield holds(name, device == "meta", f"device is {device}, not meta")
        if bench.case.device != "cpu":
            yield from moved_from_the_cpu(trial, bench)

    lstm_check.forall(ANY_PARAMETERS, on_bench(probe))
    lstm_check.forall(ANY_FORWARD, on_bench(made_without_memory), at_most=10)


def made_without_memory(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """Large models are made on the device "meta", get memory, and load their parameters."""
    module = bench.construct(device="meta").to_empty(device=bench.case.device)
    bench.load(module)
    note = 'made on the device "meta", then to_empty()'
    yield from trial.close_all(results(bench, module), note=note)


def moved_from_the_cpu(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """A module that was made and used on the CPU gives the right results on another device."""
    module, x = bench.construct(device="cpu"), bench.arguments()
    bench.load(module)
    bench.call(module, {name: tensor.to("cpu") for name, tensor in x.items()})
    module.to(bench.case.device)
    devices = {name: parameter.device.type for name, parameter in module.named_parameters()}
    wanted = bench.case.device.partition(":")[0]
    for name, device in devices.items():
        yield holds(name, device == wanted, f"device is {device}, not {wanted}")
    if {*devices.values()} == {wanted}:  # otherwise a call raises
        yield from trial.close_all(results(bench, module), note="after a move from the CPU")


@pytest.mark.lstm_clause("PARAM-26")
def test_copies(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        module = bench.module()
        before = results(bench, module)
        next(module.parameters()).requires_grad_(False)
        copied = copy.deepcopy(module)
        yield from frozen_alike(module, copied, "in the copy")
        yield from same_results(trial, before, results(bench, copied), "of the copy")
        values = observed_parameters(bench, module)
        opposite = trial.case.with_values({name: -value for name, value in values.items()})
        changed = bench.construct()
        for other in (copied, changed):
            bench.load(other, opposite)
        note = "of the original, after the parameters of the copy changed"
        yield from same_results(trial, before, results(bench, module), note)
        note = "of the copy, after its parameters changed"
        yield from same_results(trial, results(bench, changed), results(bench, copied), note)

    lstm_check.forall(ANY_FORWARD, on_bench(probe))
    lstm_check.forall(ANY_FORWARD, on_bench(copied_with_what_it_has), at_most=6)


def copied_with_what_it_has(trial: Trial, bench: Bench) -> Iterator[Finding]:
    """A module with a hook and a parameter of another one, in a module that is copied."""
    module, other = bench.module(), bench.module()
    other.weight_hh_l0 = module.weight_hh_l0
    runs: list[str] = []
    module.register_forward_hook(lambda *_: runs.append("hook"))
    copied, tied = copy.deepcopy(bench.torch.nn.ModuleList([module, other]))
    results(bench, copied)
    yield holds("hooks", bool(runs), "a forward hook of the original is not one of the copy")
    same = copied.weight_hh_l0 is tied.weight_hh_l0
    yield holds("weight_hh_l0", same, "copies of two modules do not share it, as these do")
    same = copied.weight_hh_l0 is module.weight_hh_l0
    yield holds("weight_hh_l0", not same, "the copy shares it with the original")


@pytest.mark.lstm_clause("PARAM-27")
def test_pickling(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        module = bench.module()
        before = results(bench, module)
        next(module.parameters()).requires_grad_(False)
        read = pickle.loads(pickle.dumps(module))
        yield from same_results(trial, before, results(bench, read), "of the module read back")
        yield from frozen_alike(module, read, "when read back")

    lstm_check.forall(ANY_FORWARD, on_bench(probe))


def frozen_alike(module: Any, other: Any, when: str) -> Iterator[Finding]:
    requires = {name: parameter.requires_grad for name, parameter in module.named_parameters()}
    for name, parameter in other.named_parameters():
        same = parameter.requires_grad is requires.get(name)
        yield holds(name, same, f"requires_grad is {parameter.requires_grad} {when}")


@pytest.mark.lstm_clause("PARAM-28")
def test_training_and_evaluation_mode(lstm_check: Checker) -> None:
    def probe(trial: Trial, bench: Bench) -> Iterator[Finding]:
        module = bench.module()
        before, values = results(bench, module), observed_parameters(bench, module)
        parameters = dict(module.named_parameters())
        frozen = next(iter(parameters))
        parameters[frozen].requires_grad_(False)
        for name, training in (("eval", False), ("train", True), ("eval", False)):
            note = f"after {name}()"
            returned = getattr(module, name)()
            yield holds("module", returned is module, f"{note}: it returned another object")
            mode = module.training
            yield holds("training", mode is training, f"{note}: training is {mode}")
            yield from same_parameters(bench, module, values)
            for name_of, parameter in module.named_parameters():
                same = parameter is parameters.get(name_of)
                yield holds(name_of, same, f"{note}: it is another parameter")
                requires = parameter.requires_grad
                same = requires is (name_of != frozen)
                yield holds(name_of, same, f"{note}: requires_grad has become {requires}")
            yield from same_results(trial, before, results(bench, module), note)

    lstm_check.forall(ANY_FORWARD.but(dropout=("none",)), on_bench(probe))
