"""The scores, one file each, pure functions on arrays; ``registry.SCORES`` lists them in the order of the report."""
