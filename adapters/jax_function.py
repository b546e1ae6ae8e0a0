"""Turns a function over JAX arrays into an implementation, with all derivatives from ``jax``."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp

from ..spec.case import OUTPUTS, Case
from ..spec.contract import Observation
from .function import Arrays, FunctionLSTM

__all__ = ["FORMATS", "QUICK", "JaxFunction"]

# The number formats that jax computes in, on a CPU too.
FORMATS = frozenset({"float64", "float32", "bfloat16", "float16"})

# The capabilities that jax adds to every function.
_DERIVATIVES = frozenset({"gradients", "double-backward", "forward-mode"})

# Options of XLA that compile a program in a quarter of the time. They reduce the optimisation of
# the machine code, and choose the other one of XLA's two emitters. The operations stay the same:
# results differ only in their last digits.
QUICK = {
    "xla_backend_optimization_level": 0,
    "xla_cpu_use_fusion_emitters": False,
    "xla_cpu_parallel_codegen_split_count": 1,
}


class JaxFunction(FunctionLSTM):
    """A :class:`.FunctionLSTM` with gradients, forward mode and double backward.

    ``jax.jit`` compiles each case as a whole, forward and backward together, as in training. Nearly
    every case has its own sizes, so compilation takes most of the time. Without ``jit``, JAX would
    compile every operation separately, which takes longer.

    Args:
        name: as for :class:`.FunctionLSTM`.
        version: as for :class:`.FunctionLSTM`.
        capabilities: as for :class:`.FunctionLSTM`. Those of derivatives are added.
        function: as for :class:`.FunctionLSTM`. ``jax.jit`` traces it. The case that it gets has
            no values of its own: the values are in the arguments.
        unsupported: as for :class:`.FunctionLSTM`.
        options: options of XLA. Those that the installed version does not know are left out.
            ``{}`` compiles with the defaults, which takes about four times as long.
    """

    def __init__(
        self,
        name: str,
        version: str,
        capabilities: frozenset[str],
        function: Callable[[Case, Arrays], tuple[Any, Any, Any]],
        unsupported: Callable[[Case], str | None] = lambda case: None,
        options: Mapping[str, Any] = QUICK,
    ) -> None:
        jax.config.update("jax_enable_x64", True)  # otherwise JAX makes float64 float32
        capabilities |= _DERIVATIVES
        super().__init__(name, version, capabilities, function, unsupported=unsupported)
        self._options = {key: value for key, value in options.items() if _is_known(key, value)}
        # Most repeated cases follow each other directly.
        self._compiled = lru_cache(maxsize=4)(self._jit)

    def tangents(self, case: Case, direction: Arrays) -> Observation:
        """Derivatives of the outputs in ``direction``."""
        return self._evaluate(_tangents, case, self._tangents_of_arguments(case, direction))

    def second_derivatives(self, case: Case, direction: Arrays) -> Observation:
        """Derivatives of gradients and outputs in ``direction``, by forward over backward mode."""
        cotangents = self.arrays(case, case.cotangent_values())
        return self._evaluate(
            _second_derivatives, case, cotangents, self._tangents_of_arguments(case, direction)
        )

    def _evaluate(self, what: Callable[..., Arrays], case: Case, *given: Arrays) -> Observation:
        arguments = self.arrays(case, case.arguments())
        start = time.perf_counter()
        results = self._call_compiled(what, case, arguments, *given)
        return Observation(self.observe(results), time.perf_counter() - start)

    def _results(self, case: Case, arguments: Arrays, cotangents: Arrays) -> Arrays:
        return self._call_compiled(_outputs_and_gradients, case, arguments, cotangents)

    def _call_compiled(self, what: Callable[..., Arrays], case: Case, *given: Arrays) -> Arrays:
        # A case without values: the compiled program is the same for all of them.
        form = replace(
            Case.parse(str(case)), seed=0, weight_scale=1.0, input_scale=1.0, state_scale=1.0
        )
        results: Arrays = jax.block_until_ready(self._compiled(what, form)(*given))
        return results

    def _jit(self, what: Callable[..., Arrays], case: Case) -> Callable[..., Arrays]:
        compiled: Callable[..., Arrays] = jax.jit(
            partial(what, self.call(case)), compiler_options=self._options
        )
        return compiled

    def _tangents_of_arguments(self, case: Case, direction: Arrays) -> Arrays:
        shapes = case.shapes()
        given = self.arrays(case, direction)
        return {
            name: given.get(name, jnp.zeros(shapes[name], case.dtype))
            for name in case.argument_names()
        }


def _outputs_and_gradients(
    call: Callable[[Arrays], Arrays], arguments: Arrays, cotangents: Arrays
) -> Arrays:
    if not cotangents:
        return call(arguments)
    outputs, backward = jax.vjp(call, arguments)
    full = {name: cotangents.get(name, jnp.zeros_like(outputs[name])) for name in OUTPUTS}
    (gradients,) = backward(full)
    return {**outputs, **{f"{name}.grad": value for name, value in gradients.items()}}


def _tangents(call: Callable[[Arrays], Arrays], arguments: Arrays, along: Arrays) -> Arrays:
    tangents: Arrays = jax.jvp(call, (arguments,), (along,))[1]
    return tangents


def _second_derivatives(
    call: Callable[[Arrays], Arrays], arguments: Arrays, cotangents: Arrays, along: Arrays
) -> Arrays:
    results = partial(_outputs_and_gradients, call, cotangents=cotangents)
    tangents: Arrays = jax.jvp(results, (arguments,), (along,))[1]
    return tangents


def _is_known(option: str, value: Any) -> bool:
    try:
        jax.jit(lambda: 0.0, compiler_options={option: value})()
    except jax.errors.JaxRuntimeError:
        return False
    return True
