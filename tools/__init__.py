"""Programs for contributors: they measure the suite, and publish results of frameworks."""
