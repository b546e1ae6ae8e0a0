"""``python -m lstm_conformance.serve TARGET``: serves an implementation to another process."""

import sys

from lstm_conformance.runner.processes.protocol_server import main

sys.exit(main())
