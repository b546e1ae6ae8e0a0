"""What judges an implementation, from one case to the command line, and the pytest plugin."""
