"""Chapter PURE: a call changes nothing but its results."""

from __future__ import annotations

from ..clause import Chapter, Clause

CHAPTER = Chapter(
    "PURE",
    "Purity",
    "A call depends on its arguments and the parameters, and changes nothing but its results.",
    (
        Clause(
            id="PURE-1",
            title="Arguments unchanged",
            text=(
                "Neither a call nor its backward pass changes a bit of the input, h_0 or c_0; of "
                "a packed sequence, of its data. A function over arrays changes no array that it "
                "gets."
            ),
            sources=("inputs", "outputs"),
            kind="side effects",
        ),
        Clause(
            id="PURE-2",
            title="Parameters unchanged",
            text="Neither a call nor its backward pass changes a bit of a parameter.",
            sources=("each-step", "weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"),
            kind="side effects",
            needs=("module",),
        ),
        Clause(
            id="PURE-3",
            title="Cotangents unchanged",
            text="The backward pass does not change a bit of the cotangents that it is given.",
            sources=(
                "backward-cotangents",
                "outputs",
            ),
            kind="side effects",
            needs=("module", "gradients"),
        ),
        Clause(
            id="PURE-4",
            title="Results apart from arguments and parameters",
            text=(
                "Results lie in memory of their own: writing to one of them changes no argument "
                "and no parameter."
            ),
            sources=("outputs",),
            level="SHOULD",
            kind="side effects",
            needs=("module",),
        ),
        Clause(
            id="PURE-5",
            title="Results apart from one another",
            text="Writing to one of output, h_n and c_n does not change the other two.",
            sources=("outputs",),
            level="SHOULD",
            kind="side effects",
            needs=("module",),
        ),
        Clause(
            id="PURE-6",
            title="Results are kept",
            text="What a call returned stays what it was during later calls.",
            sources=("outputs",),
        ),
        Clause(
            id="PURE-7",
            title="The same call again",
            text=(
                "A second and a third call with the same arguments give what the first gave: no "
                "state is carried over. What is no module gives it after a run with other values, "
                "or with as many steps in rows of other lengths, too."
            ),
            sources=("each-step", "symbols", "h_0-default", "c_0-default"),
            builds_on=("COMB-1",),
        ),
        Clause(
            id="PURE-8",
            title="A call after others",
            text=(
                "A call gives what it gives alone, forward and backward, after another call, "
                "forward and backward. The other call has other values, one step, more steps, "
                "more rows, no batch axis, packed rows, the same lengths in another order, as many "
                "steps in rows of other lengths, or states where the call has none and none where "
                "it has them. The same holds without "
                "gradients, for a stream of packed batches, if the same tensors hold other "
                "numbers, and after a wrong call that was refused."
            ),
            sources=("each-step", "input", "h_0-default", "c_0-default"),
            builds_on=("COMB-2", "PURE-7"),
            needs=("module", "gradients"),
        ),
        Clause(
            id="PURE-9",
            title="Memory layout of the input",
            text=(
                "Results are right wherever the elements of the input lie: transposed, with gaps "
                "between numbers, rows or steps, behind other numbers, or expanded, where many are "
                "one and the same, or as windows of a signal that overlap in memory. A view that "
                "torch keeps with the opposite sign may be refused."
            ),
            sources=("input", "input-packed"),
            builds_on=("COMB-1",),
            needs=("module",),
        ),
        Clause(
            id="PURE-10",
            title="Memory layout of the states",
            text="Results are right wherever the elements of h_0 and c_0 lie.",
            sources=("h_0", "c_0"),
            builds_on=("COMB-1",),
            needs=("module",),
        ),
        Clause(
            id="PURE-11",
            title="Gradients under any memory layout",
            text="Gradients are right wherever the elements of input, h_0 and c_0 lie.",
            sources=("input", "h_0", "c_0"),
            builds_on=("COMB-2", "PURE-9", "PURE-10"),
            needs=("module",),
        ),
        Clause(
            id="PURE-12",
            title="Random state",
            text=(
                "A call in which no dropout acts, and its backward pass, draw no random numbers: "
                "the generators of torch, NumPy and Python stay where they are, in evaluation "
                "and in training."
            ),
            sources=("dropout", "multilayer"),
            level="SHOULD",
            kind="side effects",
            needs=("module",),
        ),
        Clause(
            id="PURE-18",
            title="Random state under dropout",
            text=(
                "Where dropout acts, the backward pass leaves the generators of torch, NumPy and "
                "Python where they are, so that a program draws no numbers twice."
            ),
            sources=("dropout", "multilayer"),
            kind="side effects",
            needs=("module", "layers", "dropout", "gradients"),
        ),
        Clause(
            id="PURE-13",
            title="Global settings during construction",
            text=(
                "The constructor changes no global setting: default dtype and device, number of "
                "threads, grad mode, determinism, precision and use of backends, autocast, anomaly "
                "detection, numpy.seterr, subnormal numbers, rounding mode; nor does it "
                "replace or remove builtins, imported modules, folders in sys.path, sys.stdout, "
                "sys.stderr or what they write to, or stop the garbage collector."
            ),
            sources=("signature",),
            level="SHOULD",
            kind="side effects",
            needs=("module",),
        ),
        Clause(
            id="PURE-14",
            title="Global settings during a call",
            text="Neither a call nor its backward pass changes a global setting.",
            sources=("inputs", "outputs"),
            level="SHOULD",
            kind="side effects",
            needs=("module",),
        ),
        Clause(
            id="PURE-15",
            title="Mode of the module",
            text=(
                "A call and its backward pass leave the module, and every module in it, in the "
                "mode it is in: training or evaluation."
            ),
            sources=(
                "module-mode",
                "dropout",
            ),
            kind="side effects",
            needs=("module",),
        ),
        Clause(
            id="PURE-16",
            title="Parameters of one's own",
            text=(
                "Modules with the same arguments have parameters of their own: writing to those "
                "of one does not change those of the other."
            ),
            sources=("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr", "initialisation"),
            kind="side effects",
            needs=("module",),
        ),
        Clause(
            id="PURE-17",
            title="Modules side by side",
            text=(
                "Two modules with the same arguments, called one after the other before either "
                "goes back, both give the results and gradients that they give alone. So does a "
                "module after a call of a wider one with NaN."
            ),
            sources=("each-step", "h_0-default", "c_0-default"),
            builds_on=("COMB-2", "PURE-7", "PURE-16"),
            needs=("module", "gradients"),
        ),
    ),
)
