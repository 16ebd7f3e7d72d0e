resource "google_pubsub_topic" "this" {
  project      = var.project
  name         = var.name
  kms_key_name = var.kms_key_name
  labels       = var.labels

  # Kept for a week, so that any subscription can be set back and a day's facts delivered again.
  message_retention_duration = "604800s"
}

module "dead_letter" {
  source       = "../dead_letter"
  for_each     = var.subscriptions
  name         = each.key
  project      = var.project
  kms_key_name = var.kms_key_name
  labels       = var.labels
  pubsub_agent = var.pubsub_agent
}

resource "google_pubsub_subscription" "these" {
  for_each = var.subscriptions
  project  = var.project
  name     = each.key
  topic    = google_pubsub_topic.this.id
  labels   = var.labels

  ack_deadline_seconds = each.value.ack_deadline_seconds

  dead_letter_policy {
    dead_letter_topic     = module.dead_letter[each.key].topic_id
    max_delivery_attempts = each.value.max_delivery_attempts
  }

  retry_policy {
    minimum_backoff = "${each.value.minimum_backoff_seconds}s"
    maximum_backoff = "${each.value.maximum_backoff_seconds}s"
  }

  # Never: a quiet month must not delete the inbox.
  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub acknowledges a message that it moved to the dead-letter topic, under its own account.
resource "google_pubsub_subscription_iam_member" "agent_acknowledges" {
  for_each     = var.subscriptions
  project      = var.project
  subscription = google_pubsub_subscription.these[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = var.pubsub_agent
}
