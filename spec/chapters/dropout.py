"""Chapter DROP: what is dropped between layers, and what is not."""

from __future__ import annotations

from ..clause import Chapter, Clause

CHAPTER = Chapter(
    "DROP",
    "Dropout",
    "What is dropped between layers, and what is not.",
    (
        Clause(
            id="DROP-1",
            title="No dropout in evaluation",
            text="In evaluation mode dropout does nothing, whatever its probability.",
            sources=("dropout",),
            builds_on=("STACK-1",),
        ),
        Clause(
            id="DROP-2",
            title="Dropout of everything",
            text=("In training with dropout=1 each layer above the first reads zeros, never NaN."),
            equation="x_t^(l) = 0",
            sources=("dropout", "multilayer"),
            builds_on=("STACK-1",),
        ),
        Clause(
            id="DROP-3",
            title="No dropout after the last layer",
            text=(
                "Dropout acts between layers only: with one layer it does nothing, in training too."
            ),
            sources=("dropout", "s-dropout"),
            builds_on=("EQ-4",),
        ),
        Clause(
            id="DROP-4",
            title="Gradients under dropout of everything",
            text=(
                "In training with dropout=1 nothing of the output's cotangent reaches the"
                " layers below the last: their gradients are zero, never NaN."
            ),
            sources=("dropout",),
            builds_on=("DROP-2", "GRAD-1", "GRAD-4"),
        ),
    ),
)
