"""PaddlePaddle 3.3.1 on a CPU, USE-25: an LSTM ends the process on an input without steps.

The page "paddle.nn.LSTM" gives the shape of the input, (batch_size, time_steps, input_size), and
says nothing against time_steps of 0. The kernel divides by it: SIGFPE ends the process, so that no
exception can be caught. With a projection, which the kernel is not used for, an UnboundLocalError
is raised. torch.nn.LSTM refuses such an input by an exception that says why.
"""

import multiprocessing

import paddle


def run(steps: int, proj_size: int) -> None:
    print(paddle.nn.LSTM(1, 2, proj_size=proj_size)(paddle.ones([1, steps, 1]))[0].shape)


statuses = {}
for arguments in ((3, 0), (0, 0), (0, 1)):
    process = multiprocessing.get_context("fork").Process(target=run, args=arguments)
    process.start()
    process.join()
    statuses[arguments] = process.exitcode
assert {*statuses.values()} <= {0, 1}, f"a signal ended the process: exit statuses are {statuses}"
