variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the workflow. Set to false, and apply, before a teardown."
  type        = bool
  default     = true
}

variable "force_destroy" {
  description = "Whether a teardown deletes buckets that still hold objects. Set to true, and apply, before a teardown."
  type        = bool
  default     = false
}

variable "kms_key_name" {
  description = "Key for buckets and topics, projects/P/locations/L/keyRings/R/cryptoKeys/K; null for Google's own keys."
  type        = string
  default     = null
}

variable "labels" {
  description = "Labels of every resource that takes labels."
  type        = map(string)
  default     = {}
}

variable "project" {
  description = "Id of the project to deploy into. It must exist and have billing enabled."
  type        = string
}

variable "region" {
  description = "Region of everything. It must offer Vertex AI tuning for the models in use."
  type        = string
}
