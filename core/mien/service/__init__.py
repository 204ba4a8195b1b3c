"""The gRPC service: transport only. It holds no model and no rule of its own; ``mien.engine`` does the work.

``wire`` and ``info`` are shared with the client and load no server; ``server`` is what ``mien serve`` runs.
"""
