"""``torch.func``: gradients of ``torch.nn.LSTM`` by function transforms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from ..spec.capabilities import ALL
from ..spec.case import OUTPUTS, Case
from ..spec.contract import Observation
from .torch_bench import Bench
from .torch_module import Array, TorchModule

__all__ = ["torch_func"]

Tensors = dict[str, torch.Tensor]

vjp: Any = torch.func.vjp  # its type hint is wrong


class _Func(TorchModule):
    """Differentiates a ``functional_call`` by function transforms."""

    def run(self, case: Case) -> Observation:
        with self.bench(case) as bench:
            call, leaves = _function(bench)
            outputs, backward = vjp(call, leaves)
            results = dict(outputs)
            if case.cotangents:
                (gradients,) = backward(_cotangents(bench, outputs))
                results.update({f"{name}.grad": value for name, value in gradients.items()})
            observed = bench.observe_all(results)
        return Observation(observed, bench.seconds)

    def second_derivatives(self, case: Case, direction: Mapping[str, Array]) -> Observation:
        with self.bench(case) as bench:
            call, leaves = _function(bench)

            def slope(leaves: Tensors, cotangents: Tensors) -> torch.Tensor:
                _, backward = vjp(call, leaves)
                (gradients,) = backward(cotangents)
                tangents = {name: bench.tensor(direction[name]) for name in direction}
                return torch.stack(
                    [(gradients[name] * tangents[name]).sum() for name in tangents]
                ).sum()

            cotangents = _cotangents(bench, call(leaves))
            gradients, outputs = torch.func.grad(slope, (0, 1))(leaves, cotangents)
            results = {f"{name}.grad": value for name, value in gradients.items()}
            observed = bench.observe_all({**outputs, **results})
        return Observation(observed, bench.seconds)


def _function(bench: Bench) -> tuple[Callable[[Tensors], Tensors], Tensors]:
    """The LSTM as a function of all arguments and parameters, and their values."""
    module = bench.construct()  # its own weights are not used
    leaves = {name: bench.tensor(value) for name, value in bench.case.arguments().items()}

    def call(leaves: Tensors) -> Tensors:
        parameters = {name: leaves[name] for name in bench.case.config.parameter_shapes()}
        arguments = {name: leaves[name] for name in leaves if name not in parameters}
        return bench.call(
            lambda *given: torch.func.functional_call(module, parameters, given), arguments
        )

    return call, leaves


def _cotangents(bench: Bench, outputs: Tensors) -> Tensors:
    given = bench.cotangents()
    return {name: given.get(name, torch.zeros_like(outputs[name])) for name in OUTPUTS}


def torch_func() -> TorchModule:
    """Gradients by ``torch.func.vjp``, double backward by ``torch.func.grad`` of it.

    The transforms refuse packed sequences, whose kernels read values that a transform hides.
    """
    without = {"module", "packed"}
    return _Func("torch-func", torch.nn.LSTM, torch.__version__, capabilities=ALL - without)
