variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the workflow."
  type        = bool
  default     = true
}

variable "force_destroy" {
  description = "Whether a teardown deletes buckets that still hold objects."
  type        = bool
  default     = false
}

variable "kms_key_name" {
  description = "Key for buckets and topics; null for Google's own keys."
  type        = string
  default     = null
}

variable "project" {
  description = "Id of the project to deploy into."
  type        = string
}

variable "region" {
  description = "Region of everything."
  type        = string
}
