"""Codecs: waveform to latent and back."""
