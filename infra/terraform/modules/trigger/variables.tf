variable "bucket" {
  description = "Name of the bucket whose objects are the events; null where a topic's messages are."
  type        = string
}

variable "delivery" {
  description = "How often and how fast to retry before the dead-letter topic NAME-dead."
  type = object({
    ack_deadline_seconds    = number
    max_delivery_attempts   = number
    minimum_backoff_seconds = number
    maximum_backoff_seconds = number
  })
}

variable "event" {
  description = "The CloudEvents type to deliver."
  type        = string
}

variable "function" {
  description = "The function to call; null where a workflow is started."
  type        = object({ name = string })
}

variable "kms_key_name" {
  description = "Key that encrypts dead letters; null for Google's own keys."
  type        = string
}

variable "labels" {
  description = "Labels of the trigger and its dead-letter topic."
  type        = map(string)
}

variable "name" {
  description = "The trigger's name."
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

variable "region" {
  description = "Region of trigger, source and destination."
  type        = string
}

variable "topic" {
  description = "The topic whose messages are the events; null where a bucket's objects are."
  type        = object({ id = string })
}

variable "workflow" {
  description = "The workflow to start; null where a function is called."
  type        = object({ id = string })
}
