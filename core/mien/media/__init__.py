"""Files and encoded bytes into samples, and pictures back into bytes: one module a medium.

Only decoding lives here; nothing in this package knows an analyzer, a server or a terminal.
"""
