"""Chapter DIR: a second LSTM that reads the sequence from its end."""

from __future__ import annotations

from ..clause import Chapter, Clause, Erratum

CHAPTER = Chapter(
    "DIR",
    "Directions",
    "A second LSTM that reads the sequence from its end.",
    (
        Clause(
            id="DIR-1",
            title="Forward direction",
            text=(
                "The first half of the output's features, and state 0, are those of the "
                "forward direction."
            ),
            sources=("output-directions", "direction-numbers", "direction-split"),
            builds_on=("EQ-5",),
        ),
        Clause(
            id="DIR-2",
            title="Reverse direction",
            text=(
                "The second half of the output's features is the reverse direction: a "
                "second LSTM that reads from the last step to the first, its h_t at the "
                "place of the step that it read."
            ),
            equation="h_t = LSTM(x_T, ..., x_t)",
            sources=("output-directions", "bidirectional", "s-bidirectional", "direction-split"),
            builds_on=("EQ-5",),
        ),
        Clause(
            id="DIR-3",
            title="Final state of the reverse direction",
            text=(
                "The final state of the reverse direction is the one after it has read the "
                "first step."
            ),
            sources=("h_n-directions", "c_n-directions", "h_n-not-last"),
            erratum=Erratum(
                "Many take the last element of output for the final state of both directions; "
                "documents said nothing of it for long.",
                "The last element of output holds the first output of the reverse direction; its "
                "final state is with the first element.",
                ("pytorch#3587", "pytorch#74291"),
            ),
            builds_on=("EQ-5",),
        ),
        Clause(
            id="DIR-4",
            title="Both directions feed the next layer",
            text=(
                "Both directions of a layer above the first read both halves of the output below."
            ),
            equation="x_t^(l) = [h_t forward, h_t reverse]",
            sources=("weight_ih-above", "num_layers-stack"),
            builds_on=("DIR-1", "DIR-2", "DIR-3", "STACK-1"),
        ),
    ),
)
