"""Weights of published embedders, converted to our own safetensors and compared with the originals."""
