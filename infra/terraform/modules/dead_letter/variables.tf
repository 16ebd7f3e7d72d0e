variable "kms_key_name" {
  description = "Key that encrypts messages; null for Google's own keys."
  type        = string
}

variable "labels" {
  description = "Labels of topic and subscription."
  type        = map(string)
}

variable "name" {
  description = "Name of the subscription or trigger whose undelivered messages come here."
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
