"""Chapter DROP: what is dropped between layers, and what is not."""

from __future__ import annotations

from ..clause import Chapter, Clause, Erratum

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
            text=(
                "In training with dropout=1 each layer above the first reads zeros, never NaN, "
                "under no_grad, too."
            ),
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
            needs=("gradients",),
        ),
        Clause(
            id="DROP-5",
            title="Dropped, or scaled",
            text=(
                "In training with 0 < dropout < 1 every element that a layer hands to the layer "
                "above is either zero or divided by 1 - p, and nothing else changes: output, h_n "
                "and c_n are right for some choice of what was dropped."
            ),
            sources=("dropout", "multilayer", "s-dropout"),
            equation="x_t^(l) = h_t^(l-1) * m_t / (1 - p), m_t of zeros and ones",
            builds_on=("DROP-1", "DROP-3", "PROJ-4", "STATE-3", "STATE-4", "SHAPE-5", "SHAPE-6"),
            needs=("dropout",),
            erratum=Erratum(
                "The paragraph on layers multiplies by a bare Bernoulli variable, without the "
                "scale 1/(1-p).",
                "Args and the introduction speak of a Dropout layer, which scales. It governs.",
            ),
        ),
        Clause(
            id="DROP-6",
            title="Gradients with the same choice",
            text=(
                "The gradients are those of the equations with the choice that the forward pass "
                "made: what was dropped passes no gradient, what was kept passes it divided by "
                "1 - p."
            ),
            sources=("dropout",),
            equation="dh_t^(l-1) = dx_t^(l) * m_t / (1 - p)",
            builds_on=("DROP-5", "GRAD-10"),
            needs=("dropout", "gradients"),
        ),
        Clause(
            id="DROP-7",
            title="Drop rate",
            text=(
                "In training an element is dropped with the probability that was given, in each "
                "step, row and unit, under no_grad, too."
            ),
            sources=("dropout", "multilayer"),
            equation="P(m = 0) = p",
            builds_on=("DROP-5",),
        ),
        Clause(
            id="DROP-8",
            title="A fresh choice each time",
            text=(
                "What is dropped is chosen anew for each call, each step, each row, each unit, "
                "each direction and each layer: no random number is used twice."
            ),
            sources=("multilayer", "dropout"),
            builds_on=("DROP-5",),
            erratum=Erratum(
                "No document says which elements share a choice. The index t of the Bernoulli "
                "variable says that steps do not; rows, units and calls are those of a Dropout "
                "layer.",
                "Nothing shares a choice with anything.",
            ),
        ),
        Clause(
            id="DROP-9",
            title="Dropout follows the seed",
            text="After the same torch.manual_seed the same is dropped, after another something "
            "else.",
            sources=(
                "manual_seed",
                "dropout",
            ),
            level="SHOULD",
            kind="interface",
            builds_on=("DROP-8",),
            needs=("module",),
        ),
        Clause(
            id="DROP-10",
            title="Changing the mode",
            text=(
                "Dropout follows the mode at the time of the call: train, eval and train again "
                "have their effect each time."
            ),
            sources=("dropout",),
            builds_on=("DROP-1", "DROP-5"),
            needs=("module",),
        ),
    ),
)
