"""The quality bench: how good Segue's music is, measured on held-out tracks, written down so that others can check."""
