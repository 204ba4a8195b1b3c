"""The HTTP gateway: REST, WebSocket and server-sent events for browsers and for whoever speaks no gRPC.

It is a client of the gRPC service, over a socket of its own where both run in one process, so that every limit, key,
policy and refusal is the service's own. It decodes no picture and knows no plugin. Needs the extra ``mien[web]``.
"""
