"""Embedders and classifiers of audio, one file each; ``registry.EMBEDDERS`` knows them by name."""
