variable "function_uris" {
  description = "The https address of each function, by name, for {function.NAME}."
  type        = map(string)
}

variable "pipeline_file" {
  description = "Path of pipeline.yaml."
  type        = string
}

variable "project" {
  description = "The project's id, for {project}."
  type        = string
}

variable "region" {
  description = "The region, for {region}."
  type        = string
}
