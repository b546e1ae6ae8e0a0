"""Speed: compared within one run, never tested."""
