"""Judging face detectors on labelled pictures; what of the own one is exported."""
