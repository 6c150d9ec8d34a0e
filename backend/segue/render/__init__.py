"""Plan to audio: windows, candidates, seam, report."""
