"""LSTMs that leave one global setting changed: one by its constructor, another by its call."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from ..spec.global_settings import global_settings
from .catalogue import INTERFACE, variant
from .readable import Input, ReadableLSTM, Result, States

_BY_NAME = {setting.name: setting for setting in global_settings()}


class _Change(NamedTuple):
    """A change of one global setting.

    Attributes:
        name: the beginning of the names of its classes.
        text: what is done, as the predicate of a sentence.
        setting: name of the setting.
        value: that it gets; None for the opposite of the one that it has.
    """

    name: str
    text: str
    setting: str
    value: Any = None


CHANGES = (
    _Change(
        "NumPyErrors",
        "makes NumPy raise an exception for overflow",
        "numpy.seterr",
        {"divide": "warn", "over": "raise", "under": "ignore", "invalid": "warn"},
    ),
    _Change("Subnormals", "flushes subnormal numbers", "subnormal numbers", "flushed to zero"),
    _Change("Rounding", "rounds all results up", "the rounding mode", "upward"),
    _Change("DefaultDtype", "sets the default dtype", "torch.get_default_dtype", torch.float16),
    _Change(
        "DefaultDevice",
        "sets the default device",
        "torch.get_default_device",
        torch.device("meta"),
    ),
    _Change("Threads", "sets the number of threads", "torch.get_num_threads", 2),
    _Change("InferenceMode", "enters inference mode", "torch.is_inference_mode_enabled"),
    _Change("GradientMode", "switches the gradient mode", "torch.is_grad_enabled"),
    _Change(
        "Determinism",
        "allows deterministic algorithms only",
        "torch.are_deterministic_algorithms_enabled",
    ),
    _Change(
        "DeterminismWarnings",
        "makes algorithms that are not deterministic a warning",
        "torch.is_deterministic_algorithms_warn_only_enabled",
    ),
    _Change(
        "OneDNNMatmulPrecision",
        "multiplies matrices in bfloat16",
        "torch.backends.mkldnn.matmul.fp32_precision",
        "bf16",
    ),
    _Change(
        "OneDNNRNNPrecision",
        "lets recurrent kernels compute in bfloat16",
        "torch.backends.mkldnn.rnn.fp32_precision",
        "bf16",
    ),
    _Change(
        "BackendPrecision",
        "lets all backends compute in TF32",
        "torch.backends.fp32_precision",
        "tf32",
    ),
    _Change(
        "OneDNNPrecision",
        "lets oneDNN compute in TF32",
        "torch.backends.mkldnn.fp32_precision",
        "tf32",
    ),
    _Change(
        "MatmulPrecision",
        "multiplies matrices in a lower precision",
        "torch.get_float32_matmul_precision",
        "medium",
    ),
    _Change("Anomalies", "switches anomaly detection on", "torch.is_anomaly_enabled"),
    _Change(
        "AnomalousNaN",
        "lets anomaly detection pass NaN",
        "torch.is_anomaly_check_nan_enabled",
    ),
    _Change("AutocastCPU", "switches autocast on", "torch.is_autocast_enabled('cpu')"),
    _Change(
        "AutocastCUDA", "switches autocast on CUDA devices on", "torch.is_autocast_enabled('cuda')"
    ),
    _Change(
        "AutocastCache", "switches the cache of autocast off", "torch.is_autocast_cache_enabled"
    ),
    _Change("CuDNN", "switches cuDNN off", "torch.backends.cudnn.enabled"),
    _Change("CuDNNBenchmark", "lets cuDNN try its algorithms", "torch.backends.cudnn.benchmark"),
    _Change(
        "CuDNNDeterminism",
        "makes cuDNN deterministic",
        "torch.backends.cudnn.deterministic",
    ),
    _Change("CuDNNTF32", "forbids TF32 in cuDNN", "torch.backends.cudnn.allow_tf32"),
    _Change("OneDNN", "switches oneDNN off", "torch.backends.mkldnn.enabled"),
    _Change(
        "OneDNNDeterminism",
        "makes oneDNN deterministic",
        "torch.backends.mkldnn.deterministic",
    ),
)


def _leave(change: _Change) -> None:
    # Old versions of torch lack some: then this raises, and the clause fails all the same.
    setting = _BY_NAME[change.setting]
    setting.write(not setting.read() if change.value is None else change.value)


def _constructor(change: _Change) -> type:
    class Left(ReadableLSTM):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            _leave(change)

    return Left


def _call(change: _Change) -> type:
    class Left(ReadableLSTM):
        def forward(self, input: Input, hx: States | None = None) -> Result:
            result = super().forward(input, hx)
            _leave(change)
            return result

    return Left


for _change in CHANGES:
    variant(
        __name__,
        _constructor(_change),
        f"{_change.name}LeftByConstructor",
        f"The constructor {_change.text}.",
        "PURE-13",
        INTERFACE,
        f"{_change.setting} after construction",
    )
    variant(
        __name__,
        _call(_change),
        f"{_change.name}LeftByCall",
        f"A call {_change.text}.",
        "PURE-14",
        INTERFACE,
        f"{_change.setting} after a call",
    )
