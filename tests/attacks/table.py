"""All attacks, in the order of the table."""

from __future__ import annotations

from tests.attacks import flood, folders, greed, users

ATTACKS = (*folders.ATTACKS, *users.ATTACKS, *flood.ATTACKS, *greed.ATTACKS)
