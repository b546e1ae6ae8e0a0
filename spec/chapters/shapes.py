"""Chapter SHAPE: the shapes of all results."""

from __future__ import annotations

from ..clause import Chapter, Clause, Erratum

CHAPTER = Chapter(
    "SHAPE",
    "Shapes",
    "The shapes of all results.",
    (
        Clause(
            id="SHAPE-1",
            title="Shape of output",
            text=(
                "output is (L, N, D*H_out), (N, L, D*H_out) with batch_first, (L, D*H_out) "
                "unbatched."
            ),
            sources=("output", "letters", "s-output"),
        ),
        Clause(
            id="SHAPE-2",
            title="Shape of h_n",
            text=(
                "h_n is (D*num_layers, N, H_out), without N unbatched; batch_first does "
                "not apply to it."
            ),
            sources=("h_n", "letters", "s-states"),
            erratum=Erratum(
                "The introduction gives both states hidden_size features; the documentation "
                "speaks of a state for each element of the sequence.",
                "h_n has H_out features, which is proj_size with a projection, and one state for "
                "each row of the batch.",
                ("pytorch#175479",),
            ),
        ),
        Clause(
            id="SHAPE-3",
            title="Shape of c_n",
            text=(
                "c_n is (D*num_layers, N, hidden_size), without N unbatched; neither "
                "projection nor batch_first applies to it."
            ),
            sources=("c_n", "letters", "s-states"),
        ),
        Clause(
            id="SHAPE-4",
            title="Shapes of gradients",
            text="A gradient has the shape of what it belongs to.",
            sources=("input",),
            builds_on=("SHAPE-1", "SHAPE-2", "SHAPE-3"),
        ),
        Clause(
            id="SHAPE-5",
            title="batch_first",
            text=(
                "With batch_first=True the batch is the first axis of input and output, "
                "and the values are the same. States keep their axes."
            ),
            sources=(
                "batch_first",
                "batch_first-states",
                "batch_first-more",
                "s-batch_first",
                "input",
            ),
            builds_on=("EQ-4", "STATE-2", "SHAPE-1"),
        ),
        Clause(
            id="SHAPE-6",
            title="Unbatched input",
            text=(
                "Input without a batch axis gives what a batch of one row gives, without "
                "that axis; batch_first does not apply to it."
            ),
            sources=("input", "batch_first-unbatched", "s-input"),
            builds_on=("EQ-4", "STATE-2", "SHAPE-1", "SHAPE-2", "SHAPE-3"),
        ),
        Clause(
            id="SHAPE-7",
            title="Empty batch",
            text=(
                "A batch of no rows gives empty results, of the shapes that hold for every N; "
                "going back, the gradients of input and states are empty, those of the parameters "
                "zero."
            ),
            sources=("letters", "input", "output", "h_n", "c_n"),
            level="SHOULD",
            kind="interface",
            builds_on=("SHAPE-1", "SHAPE-2", "SHAPE-3", "SHAPE-4"),
            erratum=Erratum(
                "The documents do not say whether N can be 0.",
                "It can, as in torch, where an empty sequence is an error but an empty batch "
                "is not.",
                ("pytorch#12013", "pytorch#38115", "pytorch#50192"),
            ),
        ),
    ),
)
