"""The raw protobuf classes of google-cloud-pubsub.

The proto-plus wrappers of the client library cost several times more per message, so nothing here uses them.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from google.protobuf import empty_pb2
from google.pubsub_v1 import types

Proto: TypeAlias = Any  # a raw protobuf message; its class is generated at run time, so no checker sees its fields

AcknowledgeRequest = types.AcknowledgeRequest.pb()
DeleteSubscriptionRequest = types.DeleteSubscriptionRequest.pb()
DeleteTopicRequest = types.DeleteTopicRequest.pb()
Empty = empty_pb2.Empty
GetSubscriptionRequest = types.GetSubscriptionRequest.pb()
GetTopicRequest = types.GetTopicRequest.pb()
ListSubscriptionsRequest = types.ListSubscriptionsRequest.pb()
ListSubscriptionsResponse = types.ListSubscriptionsResponse.pb()
ListTopicsRequest = types.ListTopicsRequest.pb()
ListTopicsResponse = types.ListTopicsResponse.pb()
ListTopicSubscriptionsRequest = types.ListTopicSubscriptionsRequest.pb()
ListTopicSubscriptionsResponse = types.ListTopicSubscriptionsResponse.pb()
ModifyAckDeadlineRequest = types.ModifyAckDeadlineRequest.pb()
ModifyPushConfigRequest = types.ModifyPushConfigRequest.pb()
PublishRequest = types.PublishRequest.pb()
PublishResponse = types.PublishResponse.pb()
PubsubMessage = types.PubsubMessage.pb()
PullRequest = types.PullRequest.pb()
PullResponse = types.PullResponse.pb()
SeekRequest = types.SeekRequest.pb()
SeekResponse = types.SeekResponse.pb()
StreamingPullRequest = types.StreamingPullRequest.pb()
StreamingPullResponse = types.StreamingPullResponse.pb()
Subscription = types.Subscription.pb()
Topic = types.Topic.pb()
UpdateSubscriptionRequest = types.UpdateSubscriptionRequest.pb()
UpdateTopicRequest = types.UpdateTopicRequest.pb()
