"""Programs for contributors: they measure the suite, and publish results of frameworks."""

import os

# Before NumPy is imported. The products of the reference are small: more threads would only wait.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
