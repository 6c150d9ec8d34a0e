"""Making Segue bundles: torch definitions, training, ONNX and gradient export, importers."""
