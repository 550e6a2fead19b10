"""Pictures that may be shipped and shown; see README.md beside this file for their origin."""

from pathlib import Path

ASTRONAUT = Path(__file__).parent / "astronaut.png"
"""Portrait of Eileen Collins by NASA, 512 x 512, public domain."""
