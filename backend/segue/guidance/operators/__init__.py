"""Measurement operators A, one file each; ``registry.OPERATORS`` knows them by name."""
