"""What stops a set-up, always with the next step."""

from __future__ import annotations


class SetupProblem(Exception):
    """Something the user has to do.

    Attributes
    ----------
    step
        What to do next, one or two sentences.
    """

    def __init__(self, wrong: str, step: str) -> None:
        super().__init__(wrong)
        self.step = step
