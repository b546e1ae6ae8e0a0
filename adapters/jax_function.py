"""An LSTM that is a function over arrays of JAX: compiled, with every derivative from ``jax``."""

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

# What jax computes in, on a CPU too. Those who are sure of their function declare them.
FORMATS = frozenset({"float64", "float32", "bfloat16", "float16"})

# What jax gives to every function.
_DERIVATIVES = frozenset({"gradients", "double-backward", "forward-mode"})

# Options of XLA with which a program is compiled in a quarter of the time. They choose how much
# the machine code is optimised, and by which of XLA's two emitters it is written: the operations
# stay the same, and results differ in their last digits alone.
QUICK = {
    "xla_backend_optimization_level": 0,
    "xla_cpu_use_fusion_emitters": False,
    "xla_cpu_parallel_codegen_split_count": 1,
}


class JaxFunction(FunctionLSTM):
    """See :class:`.function.FunctionLSTM`; gradients, forward mode and double backward are added.

    Each case is compiled as a whole by ``jax.jit``, forward and backward together, as in training.
    Nearly every case has sizes of its own, so that all time is spent on compiling; running
    operation by operation would compile each of them instead, and take longer.

    Args:
        name, version, capabilities, function, unsupported: as there. The function is traced: its
            arguments are those of ``jax.jit``. Values have no part in the case that it is given.
        options: of XLA; those that its version does not know are left out. With ``{}`` it
            compiles as it does by default, which takes about four times as long.
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
        jax.config.update("jax_enable_x64", True)  # else float64 becomes float32
        capabilities |= _DERIVATIVES
        super().__init__(name, version, capabilities, function, unsupported=unsupported)
        self._options = {key: value for key, value in options.items() if _is_known(key, value)}
        # Most often a case that comes again comes next.
        self._compiled = lru_cache(maxsize=4)(self._jit)

    def run(self, case: Case) -> Observation:
        """The forward pass, and the backward pass where the case has cotangents."""
        return self._evaluate(_results, case, self.arrays(case, case.cotangent_values()))

    def tangents(self, case: Case, direction: Arrays) -> Observation:
        """Derivatives of the outputs along ``direction``."""
        return self._evaluate(_tangents, case, self._along(case, direction))

    def second_derivatives(self, case: Case, direction: Arrays) -> Observation:
        """Derivatives of gradients and outputs along ``direction``, forward over backward."""
        cotangents = self.arrays(case, case.cotangent_values())
        return self._evaluate(_second_derivatives, case, cotangents, self._along(case, direction))

    def _evaluate(self, what: Callable[..., Arrays], case: Case, *given: Arrays) -> Observation:
        # The text does not tell values that are given; the others follow from the seed.
        form = replace(
            Case.parse(str(case)), seed=0, weight_scale=1.0, input_scale=1.0, state_scale=1.0
        )
        arguments = self.arrays(case, case.arguments())
        start = time.perf_counter()
        results = jax.block_until_ready(self._compiled(what, form)(arguments, *given))
        return Observation(self.observe(results), time.perf_counter() - start)

    def _jit(self, what: Callable[..., Arrays], case: Case) -> Callable[..., Arrays]:
        compiled: Callable[..., Arrays] = jax.jit(
            partial(what, self.call(case)), compiler_options=self._options
        )
        return compiled

    def _along(self, case: Case, direction: Arrays) -> Arrays:
        shapes = case.shapes()
        given = self.arrays(case, direction)
        return {
            name: given.get(name, jnp.zeros(shapes[name], case.dtype))
            for name in case.argument_names()
        }


def _results(call: Callable[[Arrays], Arrays], arguments: Arrays, cotangents: Arrays) -> Arrays:
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
    results = partial(_results, call, cotangents=cotangents)
    tangents: Arrays = jax.jvp(results, (arguments,), (along,))[1]
    return tangents


def _is_known(option: str, value: Any) -> bool:
    try:
        jax.jit(lambda: 0.0, compiler_options={option: value})()
    except jax.errors.JaxRuntimeError:
        return False
    return True
