resource "google_service_account" "this" {
  project      = var.project
  account_id   = "wf-${var.name}"
  display_name = "Workflow ${var.name}"
  description  = var.purpose
}

resource "google_workflows_workflow" "this" {
  project             = var.project
  region              = var.region
  name                = var.name
  description         = var.purpose
  labels              = var.labels
  service_account     = google_service_account.this.id
  source_contents     = var.source_contents
  user_env_vars       = var.environment
  deletion_protection = var.deletion_protection

  # Errors only: logging every call would log what is sent, and that may hold rows of a data set.
  call_log_level = "LOG_ERRORS_ONLY"
}
