resource "google_service_account" "this" {
  project      = var.project
  account_id   = "fn-${var.name}"
  display_name = "Function ${var.name}"
  description  = var.purpose
}

resource "google_cloudfunctions2_function" "this" {
  project     = var.project
  location    = var.region
  name        = var.name
  description = var.purpose
  labels      = var.labels

  build_config {
    runtime           = "python312"
    entry_point       = var.entry_point
    service_account   = var.build_service_account
    docker_repository = var.docker_repository
    source {
      storage_source {
        bucket = var.source_archive.bucket
        object = var.source_archive.object
      }
    }
  }

  service_config {
    service_account_email          = google_service_account.this.email
    all_traffic_on_latest_revision = true
    available_memory               = "${var.memory_mib}Mi"
    timeout_seconds                = var.timeout_seconds
    environment_variables          = var.environment

    # Nothing is paid for while nothing happens. One request per instance, so that memory is per request and a
    # max_instances of 1 means one at a time.
    min_instance_count               = 0
    max_instance_count               = var.max_instances
    max_instance_request_concurrency = 1

    # Eventarc, Pub/Sub and Workflows of the same project count as internal when they call the run.app address; the
    # internet does not. https://cloud.google.com/run/docs/securing/ingress
    ingress_settings = "ALLOW_INTERNAL_ONLY"
  }
}
