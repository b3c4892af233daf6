"""A result shown: on the terminal, as files, as a page."""
