"""Chapter PACK: rows of unequal length."""

from __future__ import annotations

from ..clause import Chapter, Clause

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
    ),
)
