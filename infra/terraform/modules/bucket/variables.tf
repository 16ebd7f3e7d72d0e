variable "delete_after_days" {
  description = "Age in days at which objects are deleted; null to keep them."
  type        = number
  default     = null
}

variable "force_destroy" {
  description = "Whether destroying the bucket deletes the objects in it."
  type        = bool
}

variable "kms_key_name" {
  description = "Key that encrypts new objects; null for Google's own keys."
  type        = string
}

variable "labels" {
  description = "Labels of the bucket."
  type        = map(string)
}

variable "location" {
  description = "Region of the bucket; a trigger on the bucket must be in the same one."
  type        = string
}

variable "name" {
  description = "The bucket's name, unique in the world."
  type        = string
}

variable "project" {
  description = "Id of the project."
  type        = string
}
