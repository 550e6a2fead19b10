"""One line of the fault table."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Row:
    """What was done to the daemon, how often, and what came of it.

    Attributes
    ----------
    fault
        What was injected.
    tried
        How often.
    lost
        Accepted requests without their single answer, jobs that went on for nobody, leaks.
    hung
        Answers that did not come in time.
    untyped
        Exceptions or answers that are not of the protocol.
    worst_ms
        The slowest reaction, where one is measured.
    note
        What was checked beyond that.
    """

    fault: str
    tried: int = 0
    lost: int = 0
    hung: int = 0
    untyped: int = 0
    worst_ms: float = 0.0
    note: str = ""
    examples: list[str] = field(default_factory=list)
    """The first few failures, to find out more."""

    @property
    def good(self) -> bool:
        """Whether nothing was lost, hung or untyped."""
        return self.lost == self.hung == self.untyped == 0

    def took(self, seconds: float) -> None:
        """Remember the slowest reaction."""
        self.worst_ms = max(self.worst_ms, 1000 * seconds)

    def fail(self, kind: str, example: object) -> None:
        """Count a failure of a kind ("lost", "hung", "untyped")."""
        setattr(self, kind, getattr(self, kind) + 1)
        if len(self.examples) < 5:
            self.examples.append(f"{kind}: {example}"[:300])
