variable "build_service_account" {
  description = "Name of the account that builds the image, projects/P/serviceAccounts/EMAIL."
  type        = string
}

variable "docker_repository" {
  description = "Id of the repository for the image."
  type        = string
}

variable "entry_point" {
  description = "The function's name in main.py."
  type        = string
}

variable "environment" {
  description = "Environment variables."
  type        = map(string)
}

variable "labels" {
  description = "Labels of the function."
  type        = map(string)
}

variable "max_instances" {
  description = "How many requests at once, at most: an instance takes one."
  type        = number
}

variable "memory_mib" {
  description = "Memory of an instance in MiB."
  type        = number
}

variable "name" {
  description = "The function's name, also that of its Cloud Run service."
  type        = string
}

variable "project" {
  description = "Id of the project."
  type        = string
}

variable "purpose" {
  description = "What the function does, in one sentence."
  type        = string
}

variable "region" {
  description = "Region of the function."
  type        = string
}

variable "source_archive" {
  description = "The zip of the functions folder."
  type = object({
    bucket = string
    object = string
  })
}

variable "timeout_seconds" {
  description = "How long a request may take."
  type        = number
}
