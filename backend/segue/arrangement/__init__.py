"""Arrangements of a DAW, read, filled where their tracks have holes, and written as new projects."""
