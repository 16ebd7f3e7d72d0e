variable "kms_key_name" {
  description = "Key that encrypts messages; null for Google's own keys."
  type        = string
}

variable "labels" {
  description = "Labels of topic and subscriptions."
  type        = map(string)
}

variable "name" {
  description = "The topic's name."
  type        = string
}

variable "project" {
  description = "Id of the project."
  type        = string
}

variable "pubsub_agent" {
  description = "Pub/Sub's service agent, as an IAM member."
  type        = string
}

variable "subscriptions" {
  description = "Subscriptions by name, with how they retry before the dead-letter topic NAME-dead."
  type = map(object({
    ack_deadline_seconds    = number
    max_delivery_attempts   = number
    minimum_backoff_seconds = number
    maximum_backoff_seconds = number
  }))
}
