"""Drop-in replacements for ``torch.nn.LSTM``, and ``torch.nn.LSTM`` itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import PackedSequence

from ..spec.capabilities import ALL
from ..spec.case import OUTPUTS, Case
from ..spec.config import LSTMConfig
from ..spec.contract import Observation, Unsupported
from .torch_bench import Bench, gradient_of, undisturbed

__all__ = ["TorchModule", "torch_lstm", "torch_lstm_without_onednn"]

Array = NDArray[np.float64]

forward_ad: Any = torch.autograd.forward_ad  # functions without types

# Formats that a drop-in may leave out: they are tried once, and what is raised is the reason.
_OPTIONAL_DTYPES = ("bfloat16", "float16")


class TorchModule:
    """Anything that is constructed, called and loaded like ``torch.nn.LSTM``.

    Args:
        name: how reports call it.
        factory: takes the constructor arguments of ``torch.nn.LSTM``, returns a module with
            its parameters and call signature.
        version: of the package it is from.
        surroundings: a context in which everything is run.
        capabilities: a drop-in is expected to have all of them; of those that cannot be had in
            every number format or kernel, the plainest of cases is tried.
    """

    def __init__(
        self,
        name: str,
        factory: Callable[..., Any],
        version: str,
        surroundings: Callable[[], AbstractContextManager[Any]] = nullcontext,
        capabilities: frozenset[str] = ALL,
    ) -> None:
        self.name = name
        self.version = version
        self.capabilities = capabilities
        self._factory = factory
        self._surroundings = surroundings
        self._reasons: dict[tuple[str, str], str | None] = {}

    def unsupported(self, case: Case) -> str | None:
        """Optional formats that fail in the plainest of cases are not supported."""
        if case.dtype not in _OPTIONAL_DTYPES:
            return None
        plainest = _plainest(case)
        if "gradients" not in self.capabilities:
            plainest = replace(plainest, cotangents=())
        return self._missing(case.dtype, self.run, plainest)

    def device_missing(self, device: str) -> str | None:
        """A device is there if a tensor can be put on it."""
        try:
            torch.ones(1, device=device).cpu()
        except Exception as error:  # torch raises AssertionError, RuntimeError, ...
            return f"{type(error).__name__}: {str(error).splitlines()[0]}"
        return None

    @contextmanager
    def bench(self, case: Case) -> Iterator[Bench]:
        """The steps of a run, to be taken by hand, with the global state of torch protected."""
        with undisturbed(case.seed), self._surroundings():
            yield Bench(case, self._factory)

    def run(self, case: Case) -> Observation:
        """Constructs a fresh module for ``case``, loads the parameters, calls it, and goes back.

        Raises:
            Nonconformance: parameters or results are not those of ``torch.nn.LSTM``.
        """
        with self.bench(case) as bench:
            module, arguments = bench.module(), bench.arguments()
            outputs = bench.call(module, arguments)
            observed = bench.observe_all(outputs)
            if case.cotangents:
                bench.backward(outputs)
                observed.update(bench.gradients(module, arguments))
        return Observation(observed, bench.seconds)

    def tangents(self, case: Case, direction: Mapping[str, Array]) -> Observation:
        """Derivatives of the outputs along ``direction``, by forward-mode differentiation.

        Raises:
            Unsupported: the plainest of cases has none.
        """
        self._require(
            "forward mode", lambda c: self._tangents(c, _direction_of_ones(c)), _in_layout(case)
        )
        return self._tangents(case, direction)

    def _tangents(self, case: Case, direction: Mapping[str, Array]) -> Observation:
        with self.bench(case) as bench, forward_ad.dual_level():
            module, arguments = bench.module(), bench.arguments()

            def along(name: str, tensor: torch.Tensor) -> torch.Tensor:
                return bench.tensor(direction.get(name, np.zeros(tensor.shape)))

            def dual(name: str, tensor: torch.Tensor) -> torch.Tensor:
                moved: torch.Tensor = forward_ad.make_dual(tensor.detach(), along(name, tensor))
                return moved

            x = arguments["input"].detach()
            # Packing has no forward mode: the input and its tangent are packed one by one.
            tangent = bench.pack(along("input", x))
            parameters = {name: dual(name, p) for name, p in module.named_parameters()}

            def called(plain: Any, *states: Any) -> Any:
                if isinstance(plain, PackedSequence) and isinstance(tangent, PackedSequence):
                    moved: Any = plain._replace(data=forward_ad.make_dual(plain.data, tangent.data))
                else:
                    moved = forward_ad.make_dual(plain, tangent)
                return torch.func.functional_call(module, parameters, (moved, *states))

            states = {name: dual(name, arguments[name]) for name in arguments if name != "input"}
            outputs = bench.call(called, {"input": x, **states})
            tangents = {name: _tangent_of(output) for name, output in outputs.items()}
            observed = bench.observe_all(tangents)
        return Observation(observed, bench.seconds)

    def second_derivatives(self, case: Case, direction: Mapping[str, Array]) -> Observation:
        """Derivatives of gradients and outputs along ``direction``, by backward of backward.

        The product of all gradients with the direction is differentiated once more: with
        respect to the arguments that is the derivative of their gradients (the Hessian is
        symmetric), with respect to the cotangents that of the outputs.

        Raises:
            Unsupported: the plainest of cases has none.
        """
        self._require(
            "double backward",
            lambda c: self._second_derivatives(c, _direction_of_ones(c)),
            _in_layout(case),
        )
        return self._second_derivatives(case, direction)

    def _second_derivatives(self, case: Case, direction: Mapping[str, Array]) -> Observation:
        with self.bench(case) as bench:
            module, arguments = bench.module(), bench.arguments()
            leaves = {**dict(module.named_parameters()), **arguments}
            leaves = {name: leaves[name] for name in case.argument_names()}
            outputs = bench.call(module, arguments)
            cotangents = {n: c.requires_grad_() for n, c in bench.cotangents().items()}
            gradients = torch.autograd.grad(
                [outputs[name] for name in cotangents],
                list(leaves.values()),
                list(cotangents.values()),
                create_graph=True,
                materialize_grads=True,
            )
            product = torch.stack(
                [
                    (gradient * bench.tensor(direction[name])).sum()
                    for name, gradient in zip(leaves, gradients, strict=True)
                    if name in direction
                ]
            ).sum()
            # Not torch.autograd.grad: it goes round what is marked `once_differentiable`, and
            # gives zeros; a whole backward pass comes upon it, and raises.
            torch.autograd.backward(product)
            wanted = {**{f"{name}.grad": leaf for name, leaf in leaves.items()}, **cotangents}
            observed = bench.observe_all({n: gradient_of(leaf) for n, leaf in wanted.items()})
        return Observation(observed, bench.seconds)

    def _require(self, what: str, attempt: Callable[[Case], Any], plainest: Case) -> None:
        reason = self._missing(f"{what} in {plainest.dtype}", attempt, plainest)
        if reason is not None:
            raise Unsupported(reason)

    def _missing(self, what: str, attempt: Callable[[Case], Any], plainest: Case) -> str | None:
        """What ``attempt`` raises in the plainest of cases: the reason why ``what`` is missing."""
        key = (what, str(plainest))
        if key not in self._reasons:
            try:
                attempt(plainest)
            except Exception as error:  # whatever it is, it is the reason
                message = (str(error).splitlines() or [""])[0][:200]
                self._reasons[key] = f"{what}: {type(error).__name__}: {message}"
            else:
                self._reasons[key] = None
        return self._reasons[key]


def _plainest(case: Case) -> Case:
    """The smallest case in the format of ``case``, with a projection if it has one: kernels
    for projections are others."""
    config = LSTMConfig(1, 2, proj_size=1) if case.config.proj_size else LSTMConfig(1, 1)
    return Case(config, dtype=case.dtype, device=case.device, cotangents=OUTPUTS)


def _in_layout(case: Case) -> Case:
    """The plainest case, packed if ``case`` is: packed sequences may have kernels of their own."""
    plainest = _plainest(case)
    return replace(plainest, layout="packed_sorted", lengths=(1,)) if case.packed else plainest


def _direction_of_ones(case: Case) -> dict[str, Array]:
    shapes = case.shapes()
    return {name: np.ones(shapes[name]) for name in case.argument_names()}


def _tangent_of(output: torch.Tensor) -> torch.Tensor:
    """Zero where torch has None, for want of any dependence."""
    tangent: torch.Tensor | None = forward_ad.unpack_dual(output).tangent
    return torch.zeros_like(output) if tangent is None else tangent


def torch_lstm() -> TorchModule:
    """``torch.nn.LSTM`` as it is."""
    return TorchModule("torch", torch.nn.LSTM, torch.__version__)


def torch_lstm_without_onednn() -> TorchModule:
    """``torch.nn.LSTM`` with the oneDNN kernels switched off."""

    def onednn_off() -> AbstractContextManager[Any]:
        off: AbstractContextManager[Any] = torch.backends.mkldnn.flags(enabled=False)
        return off

    return TorchModule("torch-onednn-off", torch.nn.LSTM, torch.__version__, onednn_off)
