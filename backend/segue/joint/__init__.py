"""Where and how one track flows into another: beats, key and loudness of both, the joint, and the ramp to it."""
