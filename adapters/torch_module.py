"""``torch.nn.LSTM``, and modules that can replace it."""

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
from ..spec.contract import Observation, Unsupported, reason_of
from ..spec.out_of_memory import is_out_of_memory
from .torch_bench import Bench, gradient_of, undisturbed

__all__ = ["TorchModule", "torch_lstm", "torch_lstm_without_onednn"]

Array = NDArray[np.float64]

forward_ad: Any = torch.autograd.forward_ad  # functions without types

# Formats that a module need not support. Each is tried once; its exception is the reason.
_OPTIONAL_DTYPES = ("bfloat16", "float16")


class TorchModule:
    """An implementation that is constructed, called and loaded like ``torch.nn.LSTM``.

    Args:
        name: the name in reports.
        factory: takes the constructor arguments of ``torch.nn.LSTM``. It returns a module with
            the same parameters and call signature.
        version: the version of the package.
        context: returns a context manager. Every case runs in it.
        capabilities: the default is all. Some kernels and number formats lack half precision,
            forward mode or double backward. For these, the simplest case is tried first.
        moved: whether modules are moved to their device and dtype after construction, because
            ``factory`` does not take these arguments. Clauses about the arguments give them.
    """

    def __init__(
        self,
        name: str,
        factory: Callable[..., Any],
        version: str,
        context: Callable[[], AbstractContextManager[Any]] = nullcontext,
        capabilities: frozenset[str] = ALL,
        moved: bool = False,
    ) -> None:
        self.name = name
        self.version = version
        self.capabilities = capabilities
        self._factory = factory
        self._context = context
        self.moved = moved
        self._reasons: dict[tuple[str, str], str | None] = {}

    def unsupported(self, case: Case) -> str | None:
        """An optional number format is unsupported if the simplest case fails in it."""
        if case.dtype not in _OPTIONAL_DTYPES:
            return None
        simplest = self.simplest(case)
        if "gradients" not in self.capabilities:
            simplest = replace(simplest, cotangents=())
        return self.missing(case.dtype, self.run, simplest)

    def device_missing(self, device: str) -> str | None:
        """Why no tensor can be put on ``device``; None if one can."""
        try:
            torch.ones(1, device=device).cpu()
        except Exception as error:  # torch raises AssertionError, RuntimeError, ...
            return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        return None

    @contextmanager
    def bench(self, case: Case) -> Iterator[Bench]:
        """A :class:`Bench` for ``case``. The global state of torch is restored at the end."""
        with undisturbed(case.seed), self._context():
            yield Bench(case, self._factory, self.moved)

    def run(self, case: Case) -> Observation:
        """Constructs a module, loads the parameters, calls it, and runs the backward pass.

        Raises:
            Nonconformance: parameters or results differ from those of ``torch.nn.LSTM`` in form.
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
        """Derivatives of the outputs in ``direction``, by forward-mode differentiation.

        Raises:
            Unsupported: the simplest case of this kind raises an exception.
        """
        self._require_forward_mode(case)
        return self._tangents(case, direction)

    def tangents_under_no_grad(self, case: Case, direction: Mapping[str, Array]) -> Observation:
        """As :meth:`tangents`, where there is no backward pass."""
        self._require_forward_mode(case)
        return self._tangents(case, direction, torch.no_grad)

    def _require_forward_mode(self, case: Case) -> None:
        self._require(
            "forward mode",
            lambda c: self._tangents(c, _direction_of_ones(c)),
            self._simplest_in_layout(case),
        )

    def _tangents(
        self,
        case: Case,
        direction: Mapping[str, Array],
        mode: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> Observation:
        with self.bench(case) as bench, forward_ad.dual_level(), mode():
            module, arguments = bench.module(), bench.arguments()

            def along(name: str, tensor: torch.Tensor) -> torch.Tensor:
                return bench.tensor(direction.get(name, np.zeros(tensor.shape)))

            def dual(name: str, tensor: torch.Tensor) -> torch.Tensor:
                moved: torch.Tensor = forward_ad.make_dual(tensor.detach(), along(name, tensor))
                return moved

            x = arguments["input"].detach()
            # Packing has no forward mode, so input and tangent are packed separately.
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
        """Derivatives of gradients and outputs in ``direction``, by double backward.

        This differentiates the product of all gradients and the direction. With respect to the
        arguments it gives the derivatives of their gradients, because the Hessian is symmetric.
        With respect to the cotangents it gives the derivatives of the outputs.

        Raises:
            Unsupported: the simplest case of this kind raises an exception.
        """
        self._require_double_backward(case)
        return self._second_derivatives(case, direction)

    def second_derivatives_of_computed_parameters(
        self, case: Case, direction: Mapping[str, Array]
    ) -> Observation:
        """As :meth:`second_derivatives`, of a call whose parameters are no leaves."""
        self._require_double_backward(case)
        return self._second_derivatives(case, direction, are_computed=True)

    def _require_double_backward(self, case: Case) -> None:
        self._require(
            "double backward",
            lambda c: self._second_derivatives(c, _direction_of_ones(c)),
            self._simplest_in_layout(case),
        )

    def _second_derivatives(
        self, case: Case, direction: Mapping[str, Array], are_computed: bool = False
    ) -> Observation:
        with self.bench(case) as bench:
            module, arguments = bench.module(), bench.arguments()
            parameters = dict(module.named_parameters())
            leaves = {**parameters, **arguments}
            leaves = {name: leaves[name] for name in case.argument_names()}

            def with_computed(*of_call: Any) -> Any:
                computed = {name: 2 * (parameter / 2) for name, parameter in parameters.items()}
                return torch.func.functional_call(module, computed, of_call)

            outputs = bench.call(with_computed if are_computed else module, arguments)
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
            # Not torch.autograd.grad: it skips functions that are `once_differentiable`, and
            # returns zeros. A whole backward pass reaches them and raises.
            torch.autograd.backward(product)
            wanted = {**{f"{name}.grad": leaf for name, leaf in leaves.items()}, **cotangents}
            observed = bench.observe_all({n: gradient_of(leaf) for n, leaf in wanted.items()})
        return Observation(observed, bench.seconds)

    def simplest(self, case: Case) -> Case:
        """The smallest case with the dtype of ``case``. It has a projection if ``case`` has one,
        because projections have their own kernels."""
        config = LSTMConfig(1, 2, proj_size=1) if case.config.proj_size else LSTMConfig(1, 1)
        return Case(config, dtype=case.dtype, device=case.device, cotangents=OUTPUTS)

    def _simplest_in_layout(self, case: Case) -> Case:
        """The simplest case, packed if ``case`` is: packed sequences may have their own kernels."""
        simplest = self.simplest(case)
        return replace(simplest, layout="packed_sorted", lengths=(1,)) if case.packed else simplest

    def _require(self, what: str, attempt: Callable[[Case], Any], simplest: Case) -> None:
        reason = self.missing(f"{what} in {simplest.dtype}", attempt, simplest)
        if reason is not None:
            raise Unsupported(reason)

    def missing(self, what: str, attempt: Callable[[Case], Any], simplest: Case) -> str | None:
        """Why ``what`` is missing: the exception of ``attempt`` in the simplest case; or None."""
        key = (what, str(simplest))
        if key not in self._reasons:
            try:
                attempt(simplest)
            except Exception as error:  # any exception is a reason, but for those of today
                if is_out_of_memory(error):
                    raise
                self._reasons[key] = reason_of(what, error)
            else:
                self._reasons[key] = None
        return self._reasons[key]


def _direction_of_ones(case: Case) -> dict[str, Array]:
    shapes = case.shapes()
    return {name: np.ones(shapes[name]) for name in case.argument_names()}


def _tangent_of(output: torch.Tensor) -> torch.Tensor:
    """The tangent of ``output``. torch has None, which means zero, if nothing depends on it."""
    tangent: torch.Tensor | None = forward_ad.unpack_dual(output).tangent
    return torch.zeros_like(output) if tangent is None else tangent


def torch_lstm() -> TorchModule:
    """``torch.nn.LSTM`` itself."""
    return TorchModule("torch", torch.nn.LSTM, torch.__version__)


def torch_lstm_without_onednn() -> TorchModule:
    """``torch.nn.LSTM`` without the oneDNN kernels."""

    def onednn_off() -> AbstractContextManager[Any]:
        off: AbstractContextManager[Any] = torch.backends.mkldnn.flags(enabled=False)
        return off

    return TorchModule("torch-onednn-off", torch.nn.LSTM, torch.__version__, onednn_off)
