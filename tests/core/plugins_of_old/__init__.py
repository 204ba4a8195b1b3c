"""Plugins as they were written for each version of the contract that is still spoken. They are never changed."""
