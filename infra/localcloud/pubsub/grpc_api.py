"""The gRPC transport: generic handlers around `PubSub`, and StreamingPull."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from google.protobuf import json_format
from google.rpc import status_pb2

from localcloud.clock import Clock
from localcloud.http import GoogleError

from . import wire
from .backlog import Consumer
from .service import Method, PubSub, add_deliveries
from .subscription import Subscription

MAX_RECEIVED_BYTES = 12 * 1024 * 1024  # a publish request of 10 MB with room around it, so that we do the refusing
STREAM_BATCH = 200
STREAM_DEADLINE_SECONDS = range(10, 601)
HEARTBEAT_SECONDS = 30
STREAMING_PULL = "/google.pubsub.v1.Subscriber/StreamingPull"


def build_server(pubsub: PubSub, clock: Clock) -> grpc.aio.Server:
    """A server without a port yet, for the running event loop."""
    server = grpc.aio.server(
        options=(
            ("grpc.max_receive_message_length", MAX_RECEIVED_BYTES),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),  # or a second server would share the port in silence
        )
    )
    server.add_generic_rpc_handlers((_Handlers(pubsub, clock),))
    return server


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, pubsub: PubSub, clock: Clock) -> None:
        self._handlers = {f"/{name}": _unary(method) for name, method in pubsub.methods().items()}
        self._handlers[STREAMING_PULL] = grpc.stream_stream_rpc_method_handler(
            StreamingPull(pubsub, clock).handle,
            request_deserializer=wire.StreamingPullRequest.FromString,
            response_serializer=wire.StreamingPullResponse.SerializeToString,
        )

    def service(self, handler_call_details: Any) -> Any:
        name = handler_call_details.method
        return self._handlers.get(name) or grpc.unary_unary_rpc_method_handler(_unimplemented(name))


def _unary(method: Method) -> Any:
    async def handle(request: wire.Proto, context: Any) -> wire.Proto:
        try:
            return await method.call(request)
        except GoogleError as error:
            await _abort(context, error)

    return grpc.unary_unary_rpc_method_handler(
        handle,
        request_deserializer=method.request.FromString,
        response_serializer=lambda response: response.SerializeToString(),
    )


def _unimplemented(name: str) -> Callable[[bytes, Any], Awaitable[None]]:
    async def handle(request: bytes, context: Any) -> None:
        await _abort(context, GoogleError("UNIMPLEMENTED", f"{name} is not available in the local Pub/Sub"))

    return handle


async def _abort(context: Any, error: GoogleError) -> None:
    trailing: tuple[tuple[str, bytes], ...] = ()
    if error.details:
        status = status_pb2.Status(code=error.rpc_code, message=error.message)
        for detail in error.details:
            json_format.ParseDict(detail, status.details.add())
        trailing = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(grpc.StatusCode[error.status], error.message, trailing)


class StreamingPull:
    """The StreamingPull method: one `Consumer` per stream."""

    def __init__(self, pubsub: PubSub, clock: Clock) -> None:
        self._broker = pubsub.broker
        self._clock = clock

    async def handle(self, requests: AsyncIterator[wire.Proto], context: Any) -> AsyncGenerator[wire.Proto, None]:
        try:
            async with contextlib.aclosing(self._stream(requests)) as responses:
                async for response in responses:
                    yield response
        except GoogleError as error:
            await _abort(context, error)

    async def _stream(self, requests: AsyncIterator[wire.Proto]) -> AsyncGenerator[wire.Proto, None]:
        first = await anext(requests, None)
        if first is None:
            return
        subscription = self._broker.subscription(first.subscription)
        consumer = Consumer(max_messages=first.max_outstanding_messages, max_bytes=first.max_outstanding_bytes)
        _set_lease(consumer, first.stream_ack_deadline_seconds, required=True)
        replies: asyncio.Queue[wire.Proto] = asyncio.Queue()
        subscription.attach(consumer)
        reader = asyncio.create_task(_read(requests, subscription, consumer, replies))
        helpers = [reader]
        if first.protocol_version >= 1:
            helpers.append(asyncio.create_task(self._heartbeat(consumer, replies)))
        try:
            _apply(first, subscription, replies)
            yield _response(subscription)  # tells the client at once how this subscription delivers
            while True:
                deliveries = await subscription.deliveries(consumer, STREAM_BATCH, also=lambda: not replies.empty())
                while not replies.empty():
                    yield replies.get_nowait()
                if deliveries:
                    response = _response(subscription)
                    add_deliveries(response, deliveries)
                    try:
                        yield response
                    except GeneratorExit:  # it could not be sent: the client had left
                        subscription.take_back(delivery.ack_id for delivery in deliveries)
                        raise
                elif consumer.closed:
                    reader.result()  # raises what the reader met; otherwise the client has just finished
                    return
        finally:
            subscription.detach(consumer)
            for helper in helpers:
                helper.cancel()

    async def _heartbeat(self, consumer: Consumer, replies: asyncio.Queue[wire.Proto]) -> None:
        while True:
            await self._clock.sleep(HEARTBEAT_SECONDS)
            replies.put_nowait(wire.StreamingPullResponse())
            consumer.wake.set()


async def _read(
    requests: AsyncIterator[wire.Proto],
    subscription: Subscription,
    consumer: Consumer,
    replies: asyncio.Queue[wire.Proto],
) -> None:
    """Do what the client asks for on the open stream; close the consumer when it stops asking."""
    try:
        async for request in requests:
            _set_lease(consumer, request.stream_ack_deadline_seconds, required=False)
            _apply(request, subscription, replies)
            consumer.wake.set()
    finally:
        consumer.closed = True
        consumer.wake.set()


def _apply(request: wire.Proto, subscription: Subscription, replies: asyncio.Queue[wire.Proto]) -> None:
    """Acknowledge and change deadlines as `request` says; exactly-once delivery gets a confirmation."""
    response = wire.StreamingPullResponse()
    if request.ack_ids:
        refused = set(subscription.acknowledge(request.ack_ids))
        response.acknowledge_confirmation.invalid_ack_ids.extend(refused)
        response.acknowledge_confirmation.ack_ids.extend(one for one in request.ack_ids if one not in refused)
    if request.modify_deadline_ack_ids:
        if len(request.modify_deadline_ack_ids) != len(request.modify_deadline_seconds):
            raise GoogleError(
                "INVALID_ARGUMENT", "modify_deadline_ack_ids and modify_deadline_seconds must have the same length"
            )
        changes = zip(request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=True)
        refused = set(subscription.modify_deadlines(changes))
        confirmation = response.modify_ack_deadline_confirmation
        confirmation.invalid_ack_ids.extend(refused)
        confirmation.ack_ids.extend(one for one in request.modify_deadline_ack_ids if one not in refused)
    if subscription.settings.exactly_once and response.ByteSize():
        _set_properties(response, subscription)
        replies.put_nowait(response)


def _set_lease(consumer: Consumer, seconds: int, *, required: bool) -> None:
    if seconds == 0 and not required:
        return
    if seconds not in STREAM_DEADLINE_SECONDS:
        raise GoogleError("INVALID_ARGUMENT", f"stream_ack_deadline_seconds is {seconds}; allowed is 10 to 600")
    consumer.lease_seconds = seconds


def _response(subscription: Subscription) -> wire.Proto:
    response = wire.StreamingPullResponse()
    _set_properties(response, subscription)
    return response


def _set_properties(response: wire.Proto, subscription: Subscription) -> None:
    properties = response.subscription_properties
    properties.exactly_once_delivery_enabled = subscription.settings.exactly_once
    properties.message_ordering_enabled = subscription.settings.ordered
