"""One test: cases are drawn, judged, shrunk and counted."""
