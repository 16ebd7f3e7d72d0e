output "dead_letter_command" {
  description = "Sets retries and dead letters on Eventarc's subscription."
  value = join(" ", [
    "gcloud pubsub subscriptions update ${local.subscription}",
    "--project=${var.project}",
    "--ack-deadline=${var.delivery.ack_deadline_seconds}",
    "--min-retry-delay=${var.delivery.minimum_backoff_seconds}s",
    "--max-retry-delay=${var.delivery.maximum_backoff_seconds}s",
    "--dead-letter-topic=${module.dead_letter.topic_id}",
    "--max-delivery-attempts=${var.delivery.max_delivery_attempts}",
  ])
}

output "dead_letter_subscription" {
  description = "Name of the subscription to read dead letters from."
  value       = module.dead_letter.subscription
}
