"""Chapter DTYPE: dtype and device of the results, and the precision of the computation."""

from __future__ import annotations

from ..clause import Chapter, Clause, Erratum

CHAPTER = Chapter(
    "DTYPE",
    "Number formats and devices",
    (
        "The number format and the device of all results, and the precision in which they are "
        "computed."
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
                "not float32 in disguise, nor float32 a format of 11 bits. If a program allows "
                "less exact products of float32, they are not less exact than that, and are exact "
                "again afterwards."
            ),
            sources=("s-device-dtype", "float32-products"),
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
        Clause(
            id="DTYPE-6",
            title="Argument dtype",
            text="All parameters have the dtype that the constructor was given.",
            sources=("s-device-dtype", "s-signature", "signature"),
            kind="interface",
            needs=("module",),
        ),
        Clause(
            id="DTYPE-7",
            title="Argument device",
            text="All parameters are on the device that the constructor was given.",
            sources=("s-device-dtype", "s-signature", "signature"),
            kind="interface",
            needs=("module",),
        ),
        Clause(
            id="DTYPE-8",
            title="Default dtype and device",
            text=(
                "Unless given, or given as None, dtype and device of all parameters are torch's "
                "defaults at the time of construction."
            ),
            sources=("s-signature", "signature"),
            level="SHOULD",
            kind="interface",
            builds_on=("DTYPE-6", "DTYPE-7"),
            needs=("module",),
            erratum=Erratum(
                "The documents do not say what the default None of device and dtype means.",
                "torch.get_default_dtype(), and the device that torch.set_default_device() or "
                "a surrounding torch.device() has chosen.",
            ),
        ),
        Clause(
            id="DTYPE-9",
            title="Meta tensors",
            text=(
                'On the device "meta", which has shapes but no numbers, results are there too, in '
                "the documented shapes."
            ),
            sources=("s-device-dtype",),
            level="SHOULD",
            kind="interface",
            builds_on=("DTYPE-7", "DTYPE-2"),
            needs=("module",),
            erratum=Erratum(
                'The documents do not say on which devices an LSTM can be called; "meta" is one '
                "that every machine has.",
                "A call works there as well, as that of torch.nn.LSTM does.",
            ),
        ),
    ),
)
