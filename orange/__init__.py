"""Orange turns a git repository into a workplace for coding agents."""

__version__ = "0.1.0"
