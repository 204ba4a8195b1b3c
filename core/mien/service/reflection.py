"""gRPC reflection, under both names that tools ask for: ``grpc.reflection.v1`` and its forerunner ``v1alpha``.

The installed package serves the forerunner alone. Both have the same messages, byte for byte, so that one servicer
answers both; the descriptor of the newer one is made from the older one's, so that it can be asked for, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection, reflection_pb2

OLD_PACKAGE: Final = "grpc.reflection.v1alpha"
PACKAGE: Final = "grpc.reflection.v1"
_METHOD: Final = "ServerReflectionInfo"


def enable_reflection(server: grpc.aio.Server, services: Sequence[str]) -> None:
    """Answer reflection.

    Args:
        server: That has not started.
        services: Names of its other services.
    """
    old, new = f"{OLD_PACKAGE}.ServerReflection", f"{PACKAGE}.ServerReflection"
    _describe()
    names = (*services, new, old)
    reflection.enable_server_reflection(names, server)
    servicer = reflection.aio.ReflectionServicer(names)
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(new, {_METHOD: handler}),))


def _describe() -> None:
    """Put the newer one's descriptor beside the older one's, where nobody has done it yet."""
    pool = descriptor_pool.Default()
    file = descriptor_pb2.FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(file)
    file.name = file.name.replace("v1alpha", "v1")
    file.package = PACKAGE
    for message in file.message_type:
        for field in message.field:
            if not field.type_name:
                continue
            field.type_name = field.type_name.replace(OLD_PACKAGE, PACKAGE)
    for method in file.service[0].method:
        method.input_type = method.input_type.replace(OLD_PACKAGE, PACKAGE)
        method.output_type = method.output_type.replace(OLD_PACKAGE, PACKAGE)
    try:
        pool.FindFileByName(file.name)
    except KeyError:  # no other package has brought it
        pool.AddSerializedFile(file.SerializeToString())
