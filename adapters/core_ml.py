"""``torch.nn.LSTM`` converted to Apple's Core ML by coremltools; forward only.

Documented at apple.github.io/coremltools/docs-guides, "Converting from PyTorch" and "Model
Prediction". A model can be converted everywhere, and it runs on macOS only. The converter refuses
projections. It computes in float16 unless ``compute_precision`` says otherwise.
"""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

import torch

from ..spec.case import OUTPUTS, Case
from ..spec.usage_error import UsageError
from .function import Arrays, FunctionLSTM
from .torch_bench import undisturbed
from .torch_flat import FlatLSTM

__all__ = ["converted", "core_ml"]

_CAPABILITIES = frozenset(
    {"layers", "bidirectional", "no-bias", "two-biases", "batch-first", "unbatched", "states"}
    | {"float32"}
)


def converted(case: Case, arguments: Arrays) -> tuple[Any, Arrays]:
    """The model of a case, and its inputs by name."""
    import coremltools as ct  # prints warnings where there is no Core ML

    given: Arrays = {name: arguments[name] for name in ("input", "h_0", "c_0") if name in arguments}
    with undisturbed(case.seed), torch.no_grad():
        tensors = tuple(map(torch.from_numpy, given.values()))
        trace: Any = torch.jit.trace  # this function has no type hints
        traced = trace(FlatLSTM(case, arguments, list(given)), tensors)
    model = ct.convert(
        traced,
        inputs=[ct.TensorType(name, array.shape) for name, array in given.items()],
        outputs=[ct.TensorType(name) for name in OUTPUTS],
        compute_precision=ct.precision.FLOAT32,
        compute_units=ct.ComputeUnit.CPU_ONLY,
        minimum_deployment_target=ct.target.macOS13,
    )
    return model, given


def _lstm(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
    model, given = converted(case, arguments)
    results = model.predict(given)
    output, h_n, c_n = (results[name] for name in OUTPUTS)
    return output, h_n, c_n


def core_ml() -> FunctionLSTM:
    """On the CPU, in float32."""
    if platform.system() != "Darwin":
        raise UsageError("core-ml can be judged on macOS only, where Core ML is.")
    version = f"{metadata.version('coremltools')} with torch {torch.__version__}"
    return FunctionLSTM("core-ml", version, _CAPABILITIES, _lstm)
