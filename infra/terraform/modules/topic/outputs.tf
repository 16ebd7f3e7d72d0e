output "dead_letter_subscriptions" {
  description = "Names of the subscriptions to read dead letters from."
  value       = [for dead_letter in module.dead_letter : dead_letter.subscription]
}

output "id" {
  description = "Id of the topic, projects/P/topics/NAME."
  value       = google_pubsub_topic.this.id
}

output "name" {
  description = "The topic's name."
  value       = google_pubsub_topic.this.name
}
