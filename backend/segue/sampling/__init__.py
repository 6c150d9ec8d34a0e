"""Samplers behind one contract: DDPM, DDIM, DPM-Solver++(2M) with and without noise, ping-pong, delayed DING."""
