"""Audio clips: files in and out, resampling, gaps, seams, recipes."""
