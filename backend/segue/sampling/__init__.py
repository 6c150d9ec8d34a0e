"""Samplers behind one contract: DDPM, DDIM, DPM-Solver++(2M), ping-pong, delayed DING."""
