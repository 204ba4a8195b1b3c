"""The records plugin: results into JSON lines, CSV and SQLite, and out of them a report for people.

It uses nothing but mien's public names.
"""
