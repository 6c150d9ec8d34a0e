"""The prior: bundles, their checks, and the networks and codecs that run from them."""
