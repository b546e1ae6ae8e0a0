"""PaddlePaddle 3.3.1 on a CPU, clauses GRAD-12 and GRAD-17 (judged of torch modules only).

paddle.grad promises the gradients of the tensors it is given, and a parameter with stop_gradient
is frozen. Of nn.LSTM it is all parameters or none: for a single one, or if one of them is frozen,
backward raises an error about a tensor that is null. With a projection, which the kernel is not
used for, both work.
"""

import paddle

failures = {}
for proj_size in (2, 0):
    for frozen in (False, True):
        lstm = paddle.nn.LSTM(1, 3, proj_size=proj_size)
        weight, *others = lstm.parameters()
        others[-1].stop_gradient = frozen
        wanted = [weight, *others[:-1]] if frozen else [weight]
        case = f"proj_size {proj_size}, {'one frozen' if frozen else 'one wanted'}"
        try:
            paddle.grad(lstm(paddle.ones([1, 2, 1]))[0].sum(), wanted)
        except ValueError as error:
            failures[case] = str(error).split(" [Hint")[0].strip()
        print(case, failures.get(case, "has gradients"))
assert not failures, f"{failures}"
