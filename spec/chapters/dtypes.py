"""Chapter DTYPE: number formats and devices of what is returned, and the precision."""

from __future__ import annotations

from ..clause import Chapter, Clause

CHAPTER = Chapter(
    "DTYPE",
    "Number formats and devices",
    (
        "The number format and the device of everything that is returned, and the precision in "
        "which it was computed."
    ),
    (
        Clause(
            id="DTYPE-1",
            title="dtype of results",
            text="Outputs, states and gradients have the dtype of input and parameters.",
            sources=("s-device-dtype",),
            builds_on=("SHAPE-1", "SHAPE-2", "SHAPE-3"),
        ),
        Clause(
            id="DTYPE-2",
            title="Device of results",
            text="Outputs, states and gradients are on the device of input and parameters.",
            sources=("s-device-dtype",),
            builds_on=("SHAPE-1", "SHAPE-2", "SHAPE-3"),
        ),
        Clause(
            id="DTYPE-3",
            title="Precision",
            text=(
                "The forward pass is computed in the precision of the dtype: float64 is "
                "not float32 in disguise, nor float32 a format of 11 bits."
            ),
            sources=("s-device-dtype",),
            builds_on=("EQ-1",),
        ),
        Clause(
            id="DTYPE-4",
            title="bfloat16",
            text=("Where bfloat16 is supported, all of this holds in it, to within its rounding."),
            sources=("s-device-dtype",),
            builds_on=("COMB-1", "COMB-2", "DTYPE-1"),
        ),
        Clause(
            id="DTYPE-5",
            title="float16",
            text="Where float16 is supported, all of this holds in it, to within its rounding.",
            sources=("s-device-dtype",),
            builds_on=("COMB-1", "COMB-2", "DTYPE-1"),
        ),
    ),
)
