"""The ZeroMQ front: one loop in one thread that moves messages between clients and the pool, and never computes."""
