"""Chapter PARAM: names, shapes and initial values of the parameters."""

from __future__ import annotations

from ..clause import Chapter, Clause, Erratum

# Statements of the section "Attributes", one for each parameter.
_LISTED = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")


def _silent(about: str, reading: str, *issues: str) -> Erratum:
    return Erratum(f"No document speaks of {about}.", reading, issues)


CHAPTER = Chapter(
    "PARAM",
    "Parameters",
    "Names, shapes and initial values of the parameters, and what a module lets one do with them.",
    (
        # -------------------------------------------------------------- names and shapes
        Clause(
            id="PARAM-1",
            title="Names",
            text=(
                "Layer k has parameters weight_ih_l[k] and weight_hh_l[k], counted from 0, and "
                "no parameter has a name that is not documented."
            ),
            sources=("weight_ih", "weight_hh"),
            kind="interface",
            needs=("module",),
        ),
        Clause(
            id="PARAM-2",
            title="Presence of biases",
            text=(
                "With bias=True every layer has bias_ih_l[k] and bias_hh_l[k]; with bias=False "
                "none has either."
            ),
            sources=("bias_ih", "bias_hh", "bias", "s-bias"),
            kind="interface",
            needs=("module",),
            erratum=Erratum(
                "The list of attributes names the biases whether or not bias=False was given.",
                "With bias=False the parameters do not exist, rather than being zero.",
            ),
        ),
        Clause(
            id="PARAM-3",
            title="Presence of weight_hr",
            text="Every layer has weight_hr_l[k] with proj_size > 0, and none without.",
            sources=("weight_hr", "weight_hr-presence", "proj_size"),
            kind="interface",
            needs=("module",),
        ),
        Clause(
            id="PARAM-4",
            title="Presence of the reverse direction",
            text=(
                "With two directions each parameter of the forward one has a partner whose name "
                "ends in _reverse; with one direction there is no such name."
            ),
            sources=(
                "reverse-weight_ih",
                "reverse-weight_hh",
                "reverse-bias_ih",
                "reverse-bias_hh",
                "reverse-weight_hr",
                "reverse-presence",
                "reverse-weight_hr-presence",
            ),
            kind="interface",
            needs=("module",),
        ),
        Clause(
            id="PARAM-5",
            title="Order",
            text=(
                "named_parameters() goes through the layers, in each through the directions, in "
                "each through weight_ih, weight_hh, bias_ih, bias_hh, weight_hr."
            ),
            sources=_LISTED,
            level="SHOULD",
            kind="interface",
            needs=("module",),
            erratum=_silent(
                "the order of the parameters",
                "That of torch: states of optimizers refer to parameters by their number.",
            ),
        ),
        Clause(
            id="PARAM-6",
            title="Shape of weight_ih",
            text=(
                "weight_ih is (4*hidden_size, input_size) in the first layer; in those above it "
                "has a column for every feature of the layer below, (4*hidden_size, D*H_out)."
            ),
            sources=("weight_ih", "weight_ih-above", "weight_ih-projection", "reverse-weight_ih"),
            kind="interface",
            builds_on=("PARAM-1",),
            needs=("module",),
        ),
        Clause(
            id="PARAM-7",
            title="Shape of weight_hh",
            text=(
                "weight_hh is (4*hidden_size, hidden_size), with a projection "
                "(4*hidden_size, proj_size)."
            ),
            sources=("weight_hh", "weight_hh-projection", "reverse-weight_hh"),
            kind="interface",
            builds_on=("PARAM-1",),
            needs=("module",),
        ),
        Clause(
            id="PARAM-8",
            title="Shapes of the biases",
            text="bias_ih and bias_hh are (4*hidden_size,), with a projection too.",
            sources=("bias_ih", "bias_hh", "reverse-bias_ih", "reverse-bias_hh"),
            kind="interface",
            builds_on=("PARAM-2",),
            needs=("module",),
        ),
        Clause(
            id="PARAM-9",
            title="Shape of weight_hr",
            text="weight_hr is (proj_size, hidden_size).",
            sources=("weight_hr", "reverse-weight_hr"),
            kind="interface",
            builds_on=("PARAM-3",),
            needs=("module",),
        ),
        Clause(
            id="PARAM-10",
            title="Learnable attributes",
            text=(
                "Each parameter is an attribute of that name: a torch.nn.Parameter, a leaf, that "
                "requires a gradient."
            ),
            sources=_LISTED,
            kind="interface",
            needs=("module",),
        ),
        # ------------------------------------------------------------------ initial values
        Clause(
            id="PARAM-11",
            title="Bounds of initial values",
            text=(
                "No initial value of a weight or bias, weight_hr included, is larger than "
                "1/sqrt(hidden_size), rounded to the dtype."
            ),
            equation="|w| <= sqrt(k), k = 1/hidden_size",
            sources=("initialisation",),
            needs=("module",),
        ),
        Clause(
            id="PARAM-12",
            title="Distribution of initial values",
            text=(
                "Initial values of each weight and bias, weight_hr included, are uniformly "
                "distributed between the bounds."
            ),
            equation="w ~ U(-sqrt(k), sqrt(k)), k = 1/hidden_size",
            sources=("initialisation",),
            builds_on=("PARAM-11",),
            needs=("module",),
        ),
        Clause(
            id="PARAM-13",
            title="Independence of initial values",
            text=(
                "Initial values are drawn one by one: neither gates nor parameters, nor modules "
                "made one after the other, share theirs."
            ),
            sources=("initialisation",),
            needs=("module",),
        ),
        Clause(
            id="PARAM-14",
            title="Seed",
            text="After torch.manual_seed the constructor draws the same values again.",
            sources=(
                "manual_seed",
                "initialisation",
            ),
            level="SHOULD",
            kind="interface",
            needs=("module",),
            erratum=_silent(
                "where the initial values are drawn from", "torch's own generator, as all there is."
            ),
        ),
        Clause(
            id="PARAM-15",
            title="reset_parameters",
            text=(
                "reset_parameters() draws every parameter anew, from the distribution of the "
                "initial values. They stay the same objects, and keep their dtype."
            ),
            sources=("initialisation",),
            level="SHOULD",
            kind="interface",
            builds_on=("PARAM-12",),
            needs=("module",),
            erratum=_silent("reset_parameters()", "What it does in torch's layers."),
        ),
        # ------------------------------------------------------------------- saved and loaded
        Clause(
            id="PARAM-16",
            title="Keys of state_dict",
            text=(
                "state_dict() holds the parameters by their names, those of a subclass too, and "
                "nothing else. Its tensors share their memory; with keep_vars=True they are not "
                "detached. In the state_dict of a module that has the LSTM, its prefix stands "
                "before them."
            ),
            sources=_LISTED,
            kind="interface",
            builds_on=("PARAM-1", "PARAM-2", "PARAM-3", "PARAM-4"),
            needs=("module",),
        ),
        Clause(
            id="PARAM-17",
            title="Round trip of state_dict",
            text=(
                "A module that loads the state_dict of another one, strictly, has its parameters "
                "and gives its results. They share no memory, and the dtype stays. A state_dict "
                "that lacks a parameter, or has one more or one of another shape, is refused."
            ),
            sources=_LISTED,
            builds_on=("PARAM-16",),
            needs=("module",),
        ),
        Clause(
            id="PARAM-18",
            title="state_dict from torch.nn.LSTM",
            text=(
                "The state_dict of a torch.nn.LSTM of the same arguments can be loaded, strictly, "
                "and means the same."
            ),
            sources=_LISTED,
            builds_on=("PARAM-17",),
            needs=("module",),
        ),
        Clause(
            id="PARAM-19",
            title="state_dict for torch.nn.LSTM",
            text=(
                "A torch.nn.LSTM of the same arguments can load the module's state_dict, strictly, "
                "and has its parameters then."
            ),
            sources=_LISTED,
            kind="interface",
            builds_on=("PARAM-16",),
            needs=("module",),
        ),
        # --------------------------------------------------------- changed between two calls
        Clause(
            id="PARAM-20",
            title="Step of an optimizer",
            text=(
                "A call uses the parameters as they are then: also after an optimizer wrote into "
                "them between two calls, with gradients or without, and to frozen ones, too. The "
                "optimizer may be older than a call of flatten_parameters()."
            ),
            sources=("each-step", *_LISTED),
            builds_on=("COMB-1",),
            needs=("module",),
        ),
        Clause(
            id="PARAM-21",
            title="Parameters changed through .data",
            text=(
                "A call sees what was written into .data of a parameter, or put in its place, "
                "between two calls, also if only one parameter was changed, or one number of it, "
                "and under autocast, if it runs there."
            ),
            sources=("each-step", *_LISTED),
            builds_on=("COMB-1",),
            needs=("module",),
        ),
        Clause(
            id="PARAM-22",
            title="Parameters loaded between calls",
            text=(
                "A call sees what load_state_dict loaded since the call before, with assign=True "
                "too. With strict=False, what is missing stays as it was, and the result tells "
                "which keys are missing, and which are unexpected. An optimizer that was made "
                "before still changes the parameters."
            ),
            sources=("each-step", *_LISTED),
            builds_on=("COMB-1", "PARAM-17"),
            needs=("module",),
        ),
        Clause(
            id="PARAM-23",
            title="Assigned parameters",
            text=(
                "A call sees a new torch.nn.Parameter that was assigned to the attribute of an "
                "old one."
            ),
            sources=("each-step", *_LISTED),
            builds_on=("COMB-1", "PARAM-10"),
            needs=("module",),
            erratum=_silent(
                "replacing a parameter",
                "The attribute is the parameter, there is no other copy that counts.",
                "pytorch#65688",
                "pytorch#90500",
            ),
        ),
        # ----------------------------------------------------------------- moved and copied
        Clause(
            id="PARAM-24",
            title="Conversion to another dtype",
            text=(
                "After to(dtype), double(), float() and the like the parameters are rounded to "
                "that dtype, and results are computed in it; also after half() and back, or if a "
                "module that has the LSTM is converted. Frozen parameters stay frozen."
            ),
            sources=("s-device-dtype",),
            builds_on=("COMB-1", "DTYPE-1", "DTYPE-3", "DTYPE-4", "DTYPE-5"),
            needs=("module",),
        ),
        Clause(
            id="PARAM-25",
            title="Move to another device",
            text=(
                "to(device) moves every parameter there. A module that was made on the device "
                '"meta" gives right results after to_empty(device=...), once it has its parameters.'
            ),
            sources=(
                "module-to",
                "module-to_empty",
                "s-device-dtype",
            ),
            kind="interface",
            needs=("module",),
            erratum=_silent(
                "moving a module once it is made",
                'What torch\'s layers do, looked at with the device "meta", and by a move from the '
                "CPU to each other device that is judged.",
            ),
        ),
        Clause(
            id="PARAM-26",
            title="Copies",
            text=(
                "copy.deepcopy() makes a module that gives the same results, and shares nothing "
                "with the first: each uses its own parameters from then on. It has the hooks of "
                "the first, and what was frozen is frozen. Modules that share a parameter and are "
                "copied together still do."
            ),
            sources=("module-pickle", *_LISTED),
            needs=("module",),
            erratum=_silent("copies", "What torch's layers do."),
        ),
        Clause(
            id="PARAM-27",
            title="Pickling",
            text=(
                "A module that was pickled and read back gives the same results, and what was "
                "frozen is frozen."
            ),
            sources=("module-pickle", *_LISTED),
            needs=("module",),
            erratum=_silent("pickling", "What torch's layers do."),
        ),
        Clause(
            id="PARAM-28",
            title="Training and evaluation mode",
            text=(
                "train() and eval() set the attribute training, return the module, and change "
                "neither parameters nor, without dropout, results."
            ),
            sources=(
                "module-mode",
                "dropout",
            ),
            needs=("module",),
            erratum=_silent(
                "the two modes", "What torch's layers do: dropout alone depends on them."
            ),
        ),
    ),
)
