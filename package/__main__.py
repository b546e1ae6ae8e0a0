"""``python -m lstm_conformance``."""

import sys

from lstm_conformance.runner.commands.main import main

sys.exit(main())
