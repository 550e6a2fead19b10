"""What the light client has to know about where it runs."""

from __future__ import annotations

from pathlib import Path

from daemon.light.editor import Editor

KRITA = Editor("Krita", Path(__file__).resolve().parent)
