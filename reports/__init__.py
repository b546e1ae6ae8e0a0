"""Tables of results. Everything here reads the results alone."""
