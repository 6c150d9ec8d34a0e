"""Renders in a child process, one for each device: its end of the pipe, and the pool's."""
