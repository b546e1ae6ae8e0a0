"""``torch.nn.LSTM`` through ExecuTorch, run by its Python runtime on the CPU; forward only.

Documented at docs.pytorch.org/executorch ("Model Export and Lowering", "XNNPACK Backend" and
"Export IR Specification"). A program of ``torch.export`` is lowered. What no partitioner takes is
computed by the kernels that the runtime has for a CPU: here optimized ones, or else portable ones.
Each case is exported with its own sizes, which is the default of the first page. The second page
names float32 and float16. The last one refers to ``edge.yaml``, which has float64 and bfloat16,
too, for all operations of an LSTM; NumPy has no bfloat16. The runtime frees a program with the
Python object, so that this has to live as long as its method.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import executorch.version
import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime

from ..spec.case import Case
from .function import Arrays, FunctionLSTM, too_long_to_unroll
from .torch_bench import undisturbed
from .torch_flat import FlatLSTM

__all__ = ["executorch_portable", "executorch_xnnpack"]

_CAPABILITIES = frozenset(
    {"layers", "bidirectional", "projection", "no-bias", "two-biases", "batch-first", "unbatched"}
    | {"states", "float32", "float16"}
)


def _lstm(name: str, partitioner: Sequence[Any], more: frozenset[str]) -> FunctionLSTM:
    def function(case: Case, arguments: Arrays) -> tuple[Any, Any, Any]:
        names: list[str] = [name for name in ("input", "h_0", "c_0") if name in arguments]
        given = tuple(torch.from_numpy(arguments[name]) for name in names)
        with undisturbed(case.seed), torch.no_grad():
            exported = torch.export.export(FlatLSTM(case, arguments, names), given)
            lowered = to_edge_transform_and_lower(exported, partitioner=list(partitioner))
            program = Runtime.get().load_program(lowered.to_executorch().buffer)
            results = program.load_method("forward").execute(given)
        output, h_n, c_n = (result.numpy().copy() for result in results)
        return output, h_n, c_n

    version = f"{executorch.version.__version__} with torch {torch.__version__}"
    capabilities = _CAPABILITIES | more
    return FunctionLSTM(name, version, capabilities, function, unsupported=too_long_to_unroll)


def executorch_portable() -> FunctionLSTM:
    """Without a partitioner."""
    return _lstm("executorch", (), frozenset({"float64"}))


def executorch_xnnpack() -> FunctionLSTM:
    """With ``XnnpackPartitioner``, which leaves float64 to the runtime."""
    return _lstm("executorch-xnnpack", (XnnpackPartitioner(),), frozenset())
