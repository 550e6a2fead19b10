"""The version that the daemon and its clients tell each other."""

VERSION = "0.1.0"
