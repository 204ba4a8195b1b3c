"""Judging face detectors on labelled pictures, and their network in Flax."""
