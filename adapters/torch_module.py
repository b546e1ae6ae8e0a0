"""Drop-in replacements for ``torch.nn.LSTM``, and ``torch.nn.LSTM`` itself."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from ..spec.case import OUTPUTS, Case
from ..spec.config import LSTMConfig
from ..spec.contract import Nonconformance, Observation, ObservedTensor

__all__ = ["TorchModule", "torch_lstm", "torch_lstm_without_onednn"]

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
    """

    def __init__(
        self,
        name: str,
        factory: Callable[..., Any],
        version: str,
        surroundings: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self.name = name
        self.version = version
        self._factory = factory
        self._surroundings = surroundings
        self._missing: dict[tuple[str, str], str | None] = {}

    def unsupported(self, case: Case) -> str | None:
        """Optional formats that fail in the plainest of cases are not supported."""
        if case.dtype not in _OPTIONAL_DTYPES:
            return None
        key = (case.dtype, case.device)
        if key not in self._missing:
            plainest = Case(
                LSTMConfig(1, 1), dtype=case.dtype, device=case.device, cotangents=OUTPUTS
            )
            try:
                self.run(plainest)
            except Exception as error:  # whatever it is, it is the reason
                self._missing[key] = f"{case.dtype}: {type(error).__name__}: {error}"
            else:
                self._missing[key] = None
        return self._missing[key]

    def device_missing(self, device: str) -> str | None:
        """A device is there if a tensor can be put on it."""
        try:
            torch.ones(1, device=device).cpu()
        except Exception as error:  # torch raises AssertionError, RuntimeError, ...
            return f"{type(error).__name__}: {str(error).splitlines()[0]}"
        return None

    def run(self, case: Case) -> Observation:
        """Constructs a fresh module for ``case``, loads the parameters, calls it, and goes back.

        Raises:
            Nonconformance: parameters or results are not those of ``torch.nn.LSTM``.
        """
        dtype = getattr(torch, case.dtype)
        tensors = {
            name: torch.tensor(array, dtype=dtype, device=case.device)
            for name, array in case.arguments().items()
        }
        with _undisturbed(case.seed), self._surroundings():
            start = time.perf_counter()
            module = self._construct(case, dtype)
            elapsed = time.perf_counter() - start
            _load(module, {name: tensors[name] for name in case.config.parameter_shapes()})
            given = [tensors[name] for name in ("input", "h_0", "c_0") if name in tensors]
            for tensor in given:
                tensor.requires_grad_(bool(case.cotangents))
            x, states = _pack(case, given[0]), tuple(given[1:])

            start = time.perf_counter()
            result = module(x, states) if states else module(x)
            elapsed += time.perf_counter() - start
            outputs = _unpack(case, result)
            observed = {name: _observe(name, tensor) for name, tensor in outputs.items()}
            if case.cotangents:
                cotangents = {
                    name: torch.tensor(array, dtype=dtype, device=case.device)
                    for name, array in case.cotangent_values().items()
                }
                start = time.perf_counter()
                _backward(outputs, cotangents)
                elapsed += time.perf_counter() - start
                leaves = {**tensors, **dict(module.named_parameters())}
                for name in case.argument_names():
                    observed[f"{name}.grad"] = _observe_gradient(name, leaves[name])
        return Observation(observed, elapsed)

    def _construct(self, case: Case, dtype: torch.dtype) -> Any:
        config = case.config
        module = self._factory(
            config.input_size,
            config.hidden_size,
            num_layers=config.num_layers,
            bias=config.bias,
            batch_first=config.batch_first,
            dropout=config.dropout,
            bidirectional=config.bidirectional,
            proj_size=config.proj_size,
            device=case.device,
            dtype=dtype,
        )
        return module.train(case.training)


def torch_lstm() -> TorchModule:
    """``torch.nn.LSTM`` as it is."""
    return TorchModule("torch", torch.nn.LSTM, torch.__version__)


def torch_lstm_without_onednn() -> TorchModule:
    """``torch.nn.LSTM`` with the oneDNN kernels switched off."""

    def onednn_off() -> AbstractContextManager[Any]:
        off: AbstractContextManager[Any] = torch.backends.mkldnn.flags(enabled=False)
        return off

    return TorchModule("torch-onednn-off", torch.nn.LSTM, torch.__version__, onednn_off)


@contextmanager
def _undisturbed(seed: int) -> Iterator[None]:
    """Global state of torch: the same for every case, and after it as it was before."""
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    with torch.random.fork_rng(), torch.enable_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        torch.set_default_dtype(torch.float32)
        torch.set_num_threads(1)  # sums in the same order on every machine
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)


def _load(module: Any, values: dict[str, torch.Tensor]) -> None:
    parameters = dict(module.named_parameters())
    if set(parameters) != set(values):
        raise Nonconformance(f"the parameters are {', '.join(parameters)}, not {', '.join(values)}")
    with torch.no_grad():
        for name, value in values.items():
            if parameters[name].shape != value.shape:
                raise Nonconformance(
                    f"{name} has shape {tuple(parameters[name].shape)}, not {tuple(value.shape)}"
                )
            parameters[name].copy_(value)


def _pack(case: Case, x: torch.Tensor) -> torch.Tensor | PackedSequence:
    if not case.packed:
        return x
    return pack_padded_sequence(
        x,
        torch.tensor(case.lengths),
        batch_first=case.config.batch_first,
        enforce_sorted=case.layout == "packed_sorted",
    )


def _unpack(case: Case, result: Any) -> dict[str, torch.Tensor]:
    try:
        output, (h_n, c_n) = result
    except (TypeError, ValueError):
        raise Nonconformance(f"the result is no output, (h_n, c_n) but {_kind(result)}") from None
    if case.packed:
        if not isinstance(output, PackedSequence):
            raise Nonconformance(f"packed input gave an output of {_kind(output)}")
        output, _ = pad_packed_sequence(
            output, batch_first=case.config.batch_first, total_length=case.seq_len
        )
    outputs = {"output": output, "h_n": h_n, "c_n": c_n}
    for name, tensor in outputs.items():
        if not isinstance(tensor, torch.Tensor):
            raise Nonconformance(f"{name} is no tensor but {_kind(tensor)}")
    return outputs


def _backward(outputs: dict[str, torch.Tensor], cotangents: dict[str, torch.Tensor]) -> None:
    for name, cotangent in cotangents.items():
        if outputs[name].shape != cotangent.shape:
            raise Nonconformance(
                f"{name} has shape {tuple(outputs[name].shape)}, not {tuple(cotangent.shape)}"
            )
    torch.autograd.backward([outputs[name] for name in cotangents], list(cotangents.values()))


def _observe(name: str, tensor: torch.Tensor) -> ObservedTensor:
    try:
        values = tensor.detach().to("cpu", torch.float64).numpy().copy()
    except Exception as error:
        raise Nonconformance(f"{name} has no numbers to read: {error}") from error
    return ObservedTensor(values, str(tensor.dtype).removeprefix("torch."), tensor.device.type)


def _observe_gradient(name: str, leaf: torch.Tensor) -> ObservedTensor:
    # torch gives None to what the result does not depend on: a gradient of zero.
    gradient = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
    return _observe(f"{name}.grad", gradient)


def _kind(value: Any) -> str:
    return f"type {type(value).__name__}"
