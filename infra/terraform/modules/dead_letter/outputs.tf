output "subscription" {
  description = "Name of the subscription to read dead letters from."
  value       = google_pubsub_subscription.this.name
}

output "topic_id" {
  description = "Id of the dead-letter topic, once Pub/Sub may publish to it."
  value       = google_pubsub_topic.this.id
  depends_on  = [google_pubsub_topic_iam_member.agent_publishes]
}
