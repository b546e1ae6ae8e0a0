"""Chapter META: relations between the results of different cases."""

from __future__ import annotations

from ..clause import Chapter, Clause

CHAPTER = Chapter(
    "META",
    "Metamorphic relations",
    "Relations between the results of different cases, forward and backward.",
    (
        Clause(
            id="META-1",
            title="Two chunks",
            text=(
                "A sequence read in two chunks, the second from the final states of the first, "
                "gives what the whole sequence gives; its gradients flow back through the states."
            ),
            sources=("symbols", "h_n", "c_n"),
            builds_on=("STATE-2", "GRAD-10"),
            needs=("gradients",),
        ),
        Clause(
            id="META-2",
            title="Rows permuted",
            text="Permuting the rows of a batch permutes the results, and changes nothing else.",
            sources=("each-step", "input"),
            builds_on=("EQ-4", "GRAD-10"),
        ),
        Clause(
            id="META-3",
            title="Time reversed",
            text=(
                "Reading the sequence backwards, with the parameters and states of both "
                "directions exchanged, exchanges the directions of the results."
            ),
            sources=("bidirectional", "output-directions", "reverse-weight_ih"),
            builds_on=("DIR-4", "GRAD-10"),
        ),
        Clause(
            id="META-4",
            title="Zero states",
            text="States of zeros that are given, and states that are left out, give the same.",
            sources=("h_0-default", "c_0-default"),
            builds_on=("STATE-1", "STATE-2", "GRAD-10"),
        ),
        Clause(
            id="META-5",
            title="Row by row",
            text=(
                "Each row of a batch gives what it gives alone; gradients of parameters are the "
                "sums over rows."
            ),
            sources=("each-step", "input"),
            builds_on=("EQ-4", "GRAD-10"),
            needs=("gradients",),
        ),
        Clause(
            id="META-6",
            title="Layers chained",
            text=(
                "Several layers give what as many single layers give, one reading the output of "
                "the other."
            ),
            sources=("num_layers-stack", "s-equations"),
            builds_on=("STACK-1", "DIR-4", "GRAD-10"),
            needs=("gradients",),
        ),
        Clause(
            id="META-7",
            title="Biases exchanged",
            text="bias_ih and bias_hh can be exchanged: only their sum is ever used.",
            sources=("gate-i", "gate-f", "gate-g", "gate-o"),
            equation="b_i* + b_h* = b_h* + b_i*",
            builds_on=("EQ-5", "GRAD-10"),
        ),
        Clause(
            id="META-8",
            title="Units permuted",
            text=(
                "Hidden units have no order: permuting them in parameters and states permutes "
                "them in the results."
            ),
            sources=("functions", "cell", "hidden"),
            builds_on=("EQ-5", "GRAD-10"),
        ),
    ),
)
