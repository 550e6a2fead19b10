"""The resident server, its wire protocol, its client and the `defocus` command line."""

__version__ = "0.1.0"
