"""A test bench: constructs and calls a torch module step by step, with the values of a case."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from ..spec.case import Case
from ..spec.contract import Nonconformance, ObservedTensor
from ..spec.global_settings import known_settings
from .torch_device import synchronize

__all__ = ["Bench", "undisturbed"]

Tensors = dict[str, torch.Tensor]


class Bench:
    """The steps of a run, for a case and a factory of modules like ``torch.nn.LSTM``.

    Args:
        case: the default for all arguments and values.
        factory: takes the constructor arguments of ``torch.nn.LSTM``, and returns a module.
        moved: whether :meth:`construct` moves the module to ``device`` and ``dtype``, because
            ``factory`` does not take them.

    Attributes:
        torch: the package, for tests that must not import it.
        dtype: the dtype of the case.
        seconds: the time spent in the module so far.
    """

    torch = torch

    def __init__(self, case: Case, factory: Callable[..., Any], moved: bool = False) -> None:
        self.case = case
        self.factory = factory
        self._moved = moved
        self.dtype: torch.dtype = getattr(torch, case.dtype)
        self.seconds = 0.0

    @contextmanager
    def _timed(self) -> Iterator[None]:
        synchronize(self.case.device)
        start = time.perf_counter()
        yield
        synchronize(self.case.device)
        self.seconds += time.perf_counter() - start

    def construct(self, **changes: Any) -> Any:
        """A new module with its own initial parameters, in the mode of the case.

        Args:
            changes: constructor arguments that differ from those of the case.
        """
        arguments = {**vars(self.case.config), "device": self.case.device, "dtype": self.dtype}
        arguments.update(changes)
        with self._timed():
            sizes = arguments.pop("input_size"), arguments.pop("hidden_size")
            if self._moved:
                place = arguments.pop("device"), arguments.pop("dtype")
                return self.factory(*sizes, **arguments).to(*place).train(self.case.training)
            return self.factory(*sizes, **arguments).train(self.case.training)

    def module(self) -> Any:
        """A new module with the parameters of the case."""
        module = self.construct()
        self.load(module)
        return module

    def any_module(self) -> Any:
        """A module whose parameters may have any values, and which need not be a new one."""
        return self.construct()

    def load(self, module: Any, case: Case | None = None) -> None:
        """Writes the parameters of the case, or of another case, into ``module``.

        Raises:
            Nonconformance: the parameters of ``module`` have other names or shapes.
        """
        source = self.case if case is None else case
        arguments = source.arguments()
        values = {name: self.tensor(arguments[name]) for name in source.config.parameter_shapes()}
        parameters = dict(module.named_parameters())
        if set(parameters) != set(values):
            raise Nonconformance(
                f"the parameters are {', '.join(parameters)}, not {', '.join(values)}"
            )
        with torch.no_grad():
            for name, value in values.items():
                if parameters[name].shape != value.shape:
                    raise Nonconformance(
                        f"{name} has shape {tuple(parameters[name].shape)}, "
                        f"not {tuple(value.shape)}"
                    )
                parameters[name].copy_(value)

    def tensor(self, array: Any) -> torch.Tensor:
        """A new tensor with these values, on the device and in the dtype of the case."""
        return torch.tensor(np.asarray(array), dtype=self.dtype, device=self.case.device)

    def arguments(self, case: Case | None = None) -> Tensors:
        """New leaf tensors: ``input``, and ``h_0`` and ``c_0`` if the case has states.

        They require gradients if the case has cotangents.
        """
        source = self.case if case is None else case
        values = source.arguments()
        return {
            name: self.tensor(values[name]).requires_grad_(bool(source.cotangents))
            for name in ("input", "h_0", "c_0")
            if name in values
        }

    def cotangents(self) -> Tensors:
        """New tensors: the cotangent of each output that has one."""
        return {name: self.tensor(v) for name, v in self.case.cotangent_values().items()}

    def call(self, module: Any, arguments: Mapping[str, torch.Tensor]) -> Tensors:
        """Calls ``module`` in the layout of the case: ``output`` (padded), ``h_n`` and ``c_n``.

        Raises:
            Nonconformance: the result has another form.
        """
        result = self.result(module, arguments)
        try:
            output, (h_n, c_n) = result
        except (TypeError, ValueError):
            raise Nonconformance(
                f"the result is not output, (h_n, c_n) but {_kind(result)}"
            ) from None
        if self.case.packed:
            if not isinstance(output, PackedSequence):
                raise Nonconformance(f"packed input returned an output of {_kind(output)}")
            output, _ = pad_packed_sequence(
                output, batch_first=self.case.config.batch_first, total_length=self.case.seq_len
            )
        outputs = {"output": output, "h_n": h_n, "c_n": c_n}
        for name, tensor in outputs.items():
            if not isinstance(tensor, torch.Tensor):
                raise Nonconformance(f"{name} is not a tensor but {_kind(tensor)}")
        return outputs

    def result(self, module: Any, arguments: Mapping[str, torch.Tensor]) -> Any:
        """Calls ``module`` in the layout of the case, and returns its result as it is."""
        x = self.pack(arguments["input"])
        states = tuple(arguments[name] for name in ("h_0", "c_0") if name in arguments)
        with self._timed():
            return module(x, states) if states else module(x)

    def pack(self, x: torch.Tensor) -> torch.Tensor | PackedSequence:
        """The input, packed if the case is."""
        if not self.case.packed:
            return x
        return pack_padded_sequence(
            x,
            torch.tensor(self.case.lengths),
            batch_first=self.case.config.batch_first,
            enforce_sorted=self.case.layout == "packed_sorted",
        )

    def backward(self, outputs: Tensors, cotangents: Tensors | None = None, **options: Any) -> None:
        """Runs the backward pass, which accumulates gradients in arguments and parameters.

        Args:
            outputs: the result of :meth:`call`.
            cotangents: by the names of outputs. The default is those of the case.
            options: options of ``torch.autograd.backward``.

        Raises:
            Nonconformance: an output and its cotangent differ in shape.
        """
        cotangents = self.cotangents() if cotangents is None else cotangents
        for name, cotangent in cotangents.items():
            if outputs[name].shape != cotangent.shape:
                raise Nonconformance(
                    f"{name} has shape {tuple(outputs[name].shape)}, not {tuple(cotangent.shape)}"
                )
        with self._timed():
            torch.autograd.backward(
                [outputs[name] for name in cotangents], list(cotangents.values()), **options
            )

    def gradients(
        self, module: Any, arguments: Mapping[str, torch.Tensor]
    ) -> dict[str, ObservedTensor]:
        """The values of ``.grad`` of arguments and parameters, by names such as ``input.grad``."""
        leaves = {**arguments, **dict(module.named_parameters())}
        return self.gradients_of({name: leaves[name] for name in self.case.argument_names()})

    def gradients_of(self, leaves: Mapping[str, torch.Tensor]) -> dict[str, ObservedTensor]:
        """The values of ``.grad`` of leaves, by names such as ``input.grad``."""
        return self.observe_all({f"{n}.grad": gradient_of(leaf) for n, leaf in leaves.items()})

    def forget_gradients(self, module: Any, arguments: Mapping[str, torch.Tensor]) -> None:
        """Deletes all accumulated gradients."""
        for leaf in (*module.parameters(), *arguments.values()):
            leaf.grad = None

    def observe(self, name: str, tensor: torch.Tensor) -> ObservedTensor:
        """The values, dtype and device of a tensor.

        Raises:
            Nonconformance: the values cannot be read.
        """
        plain = _plain(tensor)
        if plain.is_complex():  # a conversion to float64 would drop the imaginary part
            raise Nonconformance(f"{name} has dtype {plain.dtype}")
        try:
            values = np.array(plain.to("cpu", torch.float64).numpy(), copy=True, subok=False)
        except Exception as error:
            raise Nonconformance(f"the values of {name} cannot be read: {error}") from error
        return ObservedTensor(values, str(plain.dtype).removeprefix("torch."), plain.device.type)

    def observe_all(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, ObservedTensor]:
        """The values, dtype and device of each tensor."""
        return {name: self.observe(name, tensor) for name, tensor in tensors.items()}


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor without its graph, and as no subclass: those may redefine every method."""
    with torch._C.DisableTorchFunctionSubclass():
        return torch.Tensor.detach(tensor)


def gradient_of(leaf: torch.Tensor) -> torch.Tensor:
    """The gradient of a leaf. torch has None, which means zero, if nothing depends on the leaf."""
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad


@contextmanager
def undisturbed(seed: int) -> Iterator[None]:
    """Sets all global settings and the seed, the same for every case, and restores them after."""
    with known_settings(), torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _seed_everything(seed)
        yield


def _seed_everything(seed: int) -> None:
    """A faster ``torch.manual_seed``.

    ``torch.manual_seed`` formats the call stack for every kind of device that is missing. That
    takes as long as a small case.
    """
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)
    if "torch_xla" in sys.modules:  # torch.manual_seed does not reach its devices
        sys.modules["torch_xla"].manual_seed(seed)


def _kind(value: Any) -> str:
    return f"type {type(value).__name__}"
