"""The one error of the launcher."""


class CannotStart(Exception):
    """Something outside the program is in the way. The text is one line for the person at the terminal."""
