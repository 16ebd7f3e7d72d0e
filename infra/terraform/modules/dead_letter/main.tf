resource "google_pubsub_topic" "this" {
  project      = var.project
  name         = "${var.name}-dead"
  kms_key_name = var.kms_key_name
  labels       = var.labels
}

# Without a subscription a dead letter is lost.
resource "google_pubsub_subscription" "this" {
  project = var.project
  name    = "${var.name}-dead"
  topic   = google_pubsub_topic.this.id
  labels  = var.labels

  ack_deadline_seconds       = 60
  message_retention_duration = "2678400s" # 31 days, the longest that Pub/Sub offers

  # Never: a subscription that nobody reads is deleted after 31 days otherwise, and being unread is this one's good case.
  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub itself moves the message, under its own account.
resource "google_pubsub_topic_iam_member" "agent_publishes" {
  project = var.project
  topic   = google_pubsub_topic.this.name
  role    = "roles/pubsub.publisher"
  member  = var.pubsub_agent
}
