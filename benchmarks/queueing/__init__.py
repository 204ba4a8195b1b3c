"""Queues at a counter, composed, followed by a kiosk and judged: the rooms of ``benchmarks/queues.py``."""
