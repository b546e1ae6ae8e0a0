"""Chapter PACK: rows of unequal length."""

from __future__ import annotations

from ..clause import Chapter, Clause

_ALL = ("PACK-2", "PACK-3", "GRAD-11")

CHAPTER = Chapter(
    "PACK",
    "Packed sequences",
    "Rows of unequal length.",
    (
        Clause(
            id="PACK-1",
            title="Packed rows",
            text=(
                "Each row of a packed sequence is read to its own length; its final state"
                " is the one after its own last step."
            ),
            sources=("input-packed", "input-packing"),
            builds_on=("EQ-5",),
        ),
        Clause(
            id="PACK-2",
            title="Order of packed rows",
            text=(
                "Outputs and states of a packed sequence are in the order in which the "
                "rows were given, sorted by length or not."
            ),
            sources=("input-packed", "output-packed"),
            builds_on=("PACK-1", "STATE-2"),
        ),
        Clause(
            id="PACK-3",
            title="Packed reverse direction",
            text="The reverse direction begins at each row's own last step.",
            sources=("input-packed", "output-directions"),
            builds_on=("PACK-1", "DIR-4", "STATE-4"),
        ),
        Clause(
            id="PACK-4",
            title="Rows of equal length",
            text="Rows of equal length give the same packed and batched, gradients included.",
            sources=("input", "input-packed"),
            builds_on=_ALL,
        ),
        Clause(
            id="PACK-5",
            title="One packed row",
            text="A packed sequence may have a single row.",
            sources=("input-packed",),
            builds_on=_ALL,
        ),
        Clause(
            id="PACK-6",
            title="Lengths all different",
            text="A packed sequence may end one row at a time, no two rows having one length.",
            sources=("input-packed",),
            builds_on=_ALL,
        ),
        Clause(
            id="PACK-7",
            title="Rows of one step",
            text="Rows of a packed sequence may have a single step, or few beside a row of many.",
            sources=("input-packed",),
            builds_on=_ALL,
        ),
        Clause(
            id="PACK-8",
            title="Padding",
            text=(
                "Nothing leaks from padding: neither what stands behind the end of a row before "
                "it is packed, nor what happens to be in memory, has an effect on values or "
                "gradients, even if it is NaN. What stands there has gradient zero."
            ),
            sources=("input-packed", "input-packing"),
            builds_on=_ALL,
        ),
        Clause(
            id="PACK-9",
            title="Rows apart",
            text=(
                "Nothing leaks between rows: other values in one row of a packed sequence "
                "change nothing in the results of the others."
            ),
            sources=("each-step", "input-packed"),
            builds_on=_ALL,
        ),
        Clause(
            id="PACK-10",
            title="Rows one by one",
            text=(
                "Rows packed together give what each gives alone, not packed; gradients of "
                "parameters are the sums over rows."
            ),
            sources=("each-step", "input-packed"),
            builds_on=_ALL,
        ),
        Clause(
            id="PACK-11",
            title="Form of the packed output",
            text=(
                "The packed output has the batch_sizes, sorted_indices and unsorted_indices of "
                "the input."
            ),
            sources=("output-packed",),
            level="SHOULD",
            kind="interface",
            builds_on=("PACK-1",),
            needs=("module",),
        ),
        Clause(
            id="PACK-12",
            title="Ways of packing",
            text=(
                "It makes no difference whether pack_sequence or pack_padded_sequence made the "
                "packed sequence, nor whether rows that are sorted already were sorted again, nor "
                "in which order full rows were put together by hand."
            ),
            sources=("input-packing",),
            builds_on=_ALL,
            needs=("module",),
        ),
    ),
)
