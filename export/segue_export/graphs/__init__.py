"""Torch modules to differentiable ONNX functions: trace, cut, compare with torch, write."""
