"""Chapter COMB: all arguments together."""

from __future__ import annotations

from ..clause import Chapter, Clause

CHAPTER = Chapter(
    "COMB",
    "Combinations",
    "All arguments together.",
    (
        Clause(
            id="COMB-1",
            title="Every combination, forward",
            text=(
                "The arguments combine freely: output, h_n and c_n are right for every combination."
            ),
            sources=("each-step",),
            builds_on=(
                "EQ-6",
                "SHAPE-5",
                "SHAPE-6",
                "DROP-1",
                "DROP-2",
                "DROP-3",
                "PROJ-4",
                "STATE-3",
                "STATE-4",
                "PACK-2",
                "PACK-3",
            ),
        ),
        Clause(
            id="COMB-2",
            title="Every combination, gradients",
            text="The arguments combine freely: every gradient is right for every combination.",
            sources=("each-step",),
            builds_on=("COMB-1", "DROP-4", "GRAD-10", "GRAD-11"),
            needs=("gradients",),
        ),
        Clause(
            id="COMB-3",
            title="Sizes that coincide or are large",
            text=(
                "Stacked layers are right, forward and backward, for as many rows as steps and "
                "features, or as layers, directions or units; and in both directions with a "
                "projection for more than 64 steps and for hundreds of units, packed and not."
            ),
            sources=("each-step",),
            builds_on=("COMB-2", "EQ-8", "EQ-9"),
        ),
    ),
)
