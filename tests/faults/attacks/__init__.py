"""Runnable attacks on a live renderer: what it must survive. See README.md."""
