"""Chapter USE: construction, calls, and the errors that must be raised.

The file is long because it has all clauses of the chapter: a chapter is one file.
"""

from __future__ import annotations

from ..clause import Chapter, Clause, Erratum

_SIGNATURE = ("signature", "s-signature")


def _silent(problem: str, *issues: str, reading: str = "It is refused, as torch does.") -> Erratum:
    return Erratum(problem, reading, issues)


def _unseen_if_packed(what: str, *issues: str) -> Erratum:
    return Erratum(
        f"The documents say {what}, not what becomes of others. torch.nn.LSTM does not look at "
        "it with a packed sequence: it returns something, or reads and writes memory that is "
        "not its own.",
        "Others are refused in every layout.",
        issues,
    )


_PACKED_STATES = _unseen_if_packed("how large states are", "pytorch#195803", "pytorch#173946")

# To refuse is to raise an error. The kind of error and its message are not judged. A clause is a
# MUST where no result could be right. It is a SHOULD where a result could be right if something
# were silently converted, moved or left out.
CHAPTER = Chapter(
    "USE",
    "Use and misuse",
    "How a module is constructed and called, and which arguments it has to refuse.",
    (
        # ------------------------------------------------------------------- arguments, result
        Clause(
            id="USE-1",
            title="Positional arguments",
            text=(
                "The constructor takes, in this order, input_size, hidden_size, num_layers, bias, "
                "batch_first, dropout, bidirectional, proj_size, device, dtype."
            ),
            sources=_SIGNATURE,
            kind="interface",
            builds_on=("COMB-1",),
            needs=("module",),
        ),
        Clause(
            id="USE-2",
            title="Keyword arguments",
            text="Each argument of the constructor can be given by its name, in any order.",
            sources=_SIGNATURE,
            kind="interface",
            builds_on=("COMB-1",),
            needs=("module",),
        ),
        Clause(
            id="USE-3",
            title="Default arguments",
            text=(
                "What is left out is num_layers=1, bias=True, batch_first=False, dropout=0, "
                "bidirectional=False, proj_size=0."
            ),
            sources=(
                *_SIGNATURE,
                "num_layers",
                "bias",
                "batch_first",
                "dropout",
                "bidirectional",
                "proj_size",
            ),
            kind="interface",
            builds_on=("COMB-1",),
            needs=("module",),
        ),
        Clause(
            id="USE-4",
            title="Form of the result",
            text=(
                "A call returns a pair of output and a pair (h_n, c_n), all tensors; output is a "
                "packed sequence if the input is one."
            ),
            sources=("example", "outputs", "output-packed"),
            kind="interface",
            needs=("module",),
        ),
        Clause(
            id="USE-5",
            title="None for the states",
            text="None in place of the states is the same as no states.",
            sources=("inputs", "h_0-default", "c_0-default"),
            level="SHOULD",
            kind="interface",
            builds_on=("COMB-1",),
            needs=("module",),
            erratum=_silent(
                "The documents say how states are left out, not what None means.",
                reading="It leaves them out, as in torch.",
            ),
        ),
        Clause(
            id="USE-6",
            title="Arguments of a call by name",
            text="The input can be given as input=, the pair of states as hx=.",
            sources=("inputs",),
            level="SHOULD",
            kind="interface",
            builds_on=("COMB-1",),
            needs=("module",),
            erratum=_silent(
                "The documents do not name the arguments of a call.",
                reading="Their names are those of torch.",
            ),
        ),
        # -------------------------------------------------------- refused by the constructor
        Clause(
            id="USE-7",
            title="No nonlinearity",
            text="nonlinearity is no argument: the constructor refuses it.",
            sources=(*_SIGNATURE, "s-nonlinearity"),
            kind="argument checks",
            needs=("module",),
            erratum=Erratum(
                "The introduction lists a parameter nonlinearity, which only torch.nn.RNN has; "
                "its own signature is without it.",
                "The functions of an LSTM are fixed, and the constructor refuses the argument.",
            ),
        ),
        Clause(
            id="USE-8",
            title="Unknown arguments",
            text="The constructor refuses any other name, and more arguments than it has.",
            sources=_SIGNATURE,
            kind="argument checks",
            needs=("module",),
        ),
        Clause(
            id="USE-9",
            title="Required arguments",
            text="input_size and hidden_size have no default: without either there is no module.",
            sources=(*_SIGNATURE, "input_size", "hidden_size"),
            kind="argument checks",
            needs=("module",),
        ),
        Clause(
            id="USE-10",
            title="Values of input_size",
            text="An input_size that is negative or no whole number is refused.",
            sources=("input_size",),
            kind="argument checks",
            needs=("module",),
        ),
        Clause(
            id="USE-11",
            title="Input without features",
            text="An input_size of 0 is refused.",
            sources=("input_size",),
            level="SHOULD",
            kind="argument checks",
            needs=("module",),
            erratum=_silent(
                "The documents do not say whether there are inputs without features.",
                "pytorch#136936",
                reading="There are none; torch refuses them too, though not in all versions.",
            ),
        ),
        Clause(
            id="USE-12",
            title="Values of hidden_size",
            text="A hidden_size that is 0, negative or no whole number is refused.",
            sources=("hidden_size", "initialisation"),
            kind="argument checks",
            needs=("module",),
        ),
        Clause(
            id="USE-13",
            title="Values of num_layers",
            text="A num_layers that is 0, negative or no whole number is refused.",
            sources=("num_layers", "output"),
            kind="argument checks",
            needs=("module",),
        ),
        Clause(
            id="USE-14",
            title="Values of proj_size",
            text="A proj_size that is negative or no whole number is refused.",
            sources=("proj_size",),
            kind="argument checks",
            needs=("module",),
        ),
        Clause(
            id="USE-15",
            title="Limit of proj_size",
            text="A proj_size that is not smaller than hidden_size is refused.",
            sources=("proj_size-limit",),
            kind="argument checks",
            needs=("module",),
            erratum=Erratum(
                "The documentation says that proj_size should be smaller than hidden_size.",
                "It has to be: others are refused, as torch does.",
            ),
        ),
        Clause(
            id="USE-16",
            title="Values of dropout",
            text="A dropout that is no number between 0 and 1 is refused: NaN and text as well.",
            sources=("dropout", "multilayer"),
            kind="argument checks",
            needs=("module",),
        ),
        Clause(
            id="USE-17",
            title="True or False for dropout",
            text="A dropout of True or False is refused.",
            sources=("dropout",),
            level="SHOULD",
            kind="argument checks",
            needs=("module",),
            erratum=_silent(
                "The documents do not say that True, for Python the number 1, is no probability."
            ),
        ),
        Clause(
            id="USE-18",
            title="Dropout in a single layer",
            text=(
                "A dropout with a single layer, where it has nothing to act on, brings a warning; "
                "with more layers there is none."
            ),
            sources=("dropout",),
            level="SHOULD",
            kind="argument checks",
            needs=("module",),
            erratum=_silent(
                "The documents do not say whether dropout may be given with a single layer.",
                reading="It may, and there is a warning, as torch gives it.",
            ),
        ),
        Clause(
            id="USE-19",
            title="Values of dtype",
            text="A dtype of whole numbers or truth values is refused, and what is no dtype.",
            sources=("s-device-dtype", "initialisation"),
            kind="argument checks",
            needs=("module",),
        ),
        Clause(
            id="USE-20",
            title="Values of device",
            text="A device that does not exist is refused.",
            sources=("s-device-dtype",),
            kind="argument checks",
            needs=("module",),
        ),
        # ---------------------------------------------------------------- refused by a call
        Clause(
            id="USE-21",
            title="Required input",
            text="A call without input is refused.",
            sources=("inputs",),
            kind="argument checks",
            needs=("module",),
        ),
        Clause(
            id="USE-22",
            title="Axes of the input",
            text="An input with fewer than two axes or more than three is refused.",
            sources=("input",),
            kind="argument checks",
            needs=("module",),
        ),
        Clause(
            id="USE-23",
            title="Features of the input",
            text=(
                "An input with other than input_size features is refused, with states or without; "
                "a single feature does not stand for all."
            ),
            sources=("input", "input_size"),
            kind="argument checks",
            needs=("module",),
        ),
        Clause(
            id="USE-24",
            title="Features of a packed sequence",
            text="A packed sequence with other than input_size features is refused.",
            sources=("input", "input_size", "input-packed"),
            kind="argument checks",
            needs=("module",),
            erratum=_unseen_if_packed("how many features there are", "pytorch#195803"),
        ),
        Clause(
            id="USE-25",
            title="No steps",
            text=(
                "An input without steps is refused. An implementation that is no torch module may "
                "also return an output without steps, and the states that it got."
            ),
            sources=("input",),
            level="SHOULD",
            kind="argument checks",
            erratum=_silent(
                "The documents do not say whether a sequence may be empty.",
                reading="A module refuses it, as torch does. Others may read nothing.",
            ),
        ),
        Clause(
            id="USE-26",
            title="dtype of the input",
            text="An input of another dtype than the parameters is refused.",
            sources=("input", "s-device-dtype"),
            level="SHOULD",
            kind="argument checks",
            needs=("module",),
            erratum=_silent("The documents do not say which dtype an input may have."),
        ),
        Clause(
            id="USE-27",
            title="Device of the input",
            text="An input on another device than the parameters is refused.",
            sources=("input", "s-device-dtype"),
            level="SHOULD",
            kind="argument checks",
            needs=("module",),
            erratum=_silent(
                "The documents do not say where an input may be; torch.nn.LSTM overlooks that a "
                'packed sequence is on the device "meta" where there are no biases.',
                reading="It is refused in every layout.",
            ),
        ),
        Clause(
            id="USE-28",
            title="One state without the other",
            text="The states are a pair: one of them alone is refused, and so is None for one.",
            sources=("inputs", "h_0-default", "c_0-default"),
            kind="argument checks",
            needs=("module",),
        ),
        Clause(
            id="USE-29",
            title="Three states",
            text="A third state is refused.",
            sources=("inputs",),
            level="SHOULD",
            kind="argument checks",
            needs=("module",),
            erratum=_silent(
                "The documents do not say what becomes of a third state; torch.nn.LSTM refuses "
                "it, but overlooks it where the input has no batch axis.",
                reading="It is refused in every layout.",
            ),
        ),
        Clause(
            id="USE-30",
            title="Batch axis of the states",
            text=(
                "States without a batch axis are refused for a batch, and those with one for an "
                "unbatched input, h_0 and c_0 alike."
            ),
            sources=("h_0", "c_0", "input"),
            kind="argument checks",
            needs=("module",),
        ),
        Clause(
            id="USE-31",
            title="Layers and directions of the states",
            text=(
                "h_0 or c_0 for more or fewer layers and directions than D*num_layers is refused."
            ),
            sources=("h_0", "c_0"),
            kind="argument checks",
            needs=("module",),
        ),
        Clause(
            id="USE-32",
            title="Batch size of the states",
            text=(
                "h_0 or c_0 for more or fewer rows than the input has is refused; a single row "
                "does not stand for all."
            ),
            sources=("h_0", "c_0"),
            kind="argument checks",
            needs=("module",),
        ),
        Clause(
            id="USE-33",
            title="Features of the states",
            text=(
                "An h_0 with other than H_out features is refused, and a c_0 with other than "
                "hidden_size; a single feature does not stand for all."
            ),
            sources=("h_0", "c_0"),
            kind="argument checks",
            needs=("module",),
        ),
        Clause(
            id="USE-34",
            title="Layers and directions of the states, packed",
            text=(
                "With a packed sequence too, h_0 or c_0 for more or fewer layers and directions "
                "than D*num_layers is refused."
            ),
            sources=("h_0", "c_0", "input-packed"),
            kind="argument checks",
            needs=("module",),
            erratum=_PACKED_STATES,
        ),
        Clause(
            id="USE-35",
            title="Batch size of the states, packed",
            text=(
                "For more or fewer rows than a packed sequence has, h_0 or c_0 is refused, and so "
                "are states without a batch axis."
            ),
            sources=("h_0", "c_0", "input-packed"),
            kind="argument checks",
            needs=("module",),
            erratum=_PACKED_STATES,
        ),
        Clause(
            id="USE-36",
            title="Features of the states, packed",
            text=(
                "With a packed sequence too, other than H_out features in h_0, or hidden_size in "
                "c_0, are refused."
            ),
            sources=("h_0", "c_0", "input-packed"),
            kind="argument checks",
            needs=("module",),
            erratum=_PACKED_STATES,
        ),
        Clause(
            id="USE-37",
            title="dtype of the states",
            text="An h_0 or c_0 of another dtype than input and parameters is refused.",
            sources=("h_0", "c_0", "s-device-dtype"),
            level="SHOULD",
            kind="argument checks",
            needs=("module",),
            erratum=_silent(
                "The documents do not say which dtype states may have; torch.nn.LSTM refuses some "
                "and converts others, by what computes them.",
                reading="Another dtype is refused.",
            ),
        ),
        Clause(
            id="USE-38",
            title="Device of the states",
            text="An h_0 or c_0 on another device than input and parameters is refused.",
            sources=("h_0", "c_0", "s-device-dtype"),
            level="SHOULD",
            kind="argument checks",
            needs=("module",),
            erratum=_silent(
                "The documents do not say where states may be; torch.nn.LSTM overlooks, with a "
                'packed sequence, that both are on the device "meta" where there are no biases.',
                reading="It is refused in every layout.",
            ),
        ),
    ),
)
