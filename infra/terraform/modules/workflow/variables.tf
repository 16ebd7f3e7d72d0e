variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the workflow."
  type        = bool
}

variable "environment" {
  description = "Variables that the workflow reads with sys.get_env."
  type        = map(string)
}

variable "labels" {
  description = "Labels of the workflow."
  type        = map(string)
}

variable "name" {
  description = "The workflow's name."
  type        = string
}

variable "project" {
  description = "Id of the project."
  type        = string
}

variable "purpose" {
  description = "What the workflow does, in one sentence."
  type        = string
}

variable "region" {
  description = "Region of the workflow."
  type        = string
}

variable "source_contents" {
  description = "The workflow's YAML, as it is."
  type        = string
}
