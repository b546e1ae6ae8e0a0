"""PaddlePaddle 3.3.1 on a CPU, clause GRAD-1 and others of gradients, in evaluation mode.

Layer.eval says that it changes dropout and normalisation. An nn.LSTM, even one without dropout,
has no gradients after it: its kernel keeps nothing for them, and backward raises an error about
memory that a tensor does not hold. With a projection, which the kernel is not used for, it works.
"""

import paddle

failures = {}
for proj_size in (2, 0):
    lstm = paddle.nn.LSTM(1, 3, proj_size=proj_size)
    lstm.eval()
    try:
        lstm(paddle.ones([1, 2, 1]))[0].sum().backward()
    except RuntimeError as error:
        failures[proj_size] = str(error).split(" [Hint")[0].strip()
    print("proj_size", proj_size, failures.get(proj_size, "has gradients"))
assert not failures, f"without a projection: {failures[0]}"
