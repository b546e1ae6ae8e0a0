"""``python -m lstm_conformance``."""

import os
import sys

# `python -m` puts the working folder first. A file in it called numpy.py must not be imported.
if sys.path[:1] in ([os.getcwd()], [""]):
    sys.path.append(sys.path.pop(0))

from lstm_conformance.runner.commands.main import main

sys.exit(main())
