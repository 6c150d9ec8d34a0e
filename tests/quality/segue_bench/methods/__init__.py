"""The methods under test, by family: references, baselines, the paper's algorithms, ours; ``registry`` has them all."""
