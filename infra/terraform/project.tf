# What the project itself needs: APIs, Google's service agents, and the grants that those need.

locals {
  services = toset([
    "aiplatform.googleapis.com",
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "eventarc.googleapis.com",
    "eventarcpublishing.googleapis.com",
    "iam.googleapis.com",
    "logging.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "storage.googleapis.com",
    "workflowexecutions.googleapis.com",
    "workflows.googleapis.com",
  ])
}

resource "google_project_service" "these" {
  for_each = local.services
  project  = var.project
  service  = each.value

  # Others may use the same API in this project.
  disable_on_destroy = false
}

# Google makes these accounts on first use, which is too late for a first deployment that grants them something.
resource "google_project_service_identity" "agents" {
  for_each = toset(["eventarc.googleapis.com", "pubsub.googleapis.com"])
  provider = google-beta
  project  = var.project
  service  = google_project_service.these[each.value].service
}

# Asking for Cloud Storage's agent makes it.
data "google_storage_project_service_account" "agent" {
  project    = var.project
  depends_on = [google_project_service.these]
}

# Eventarc's own role: it makes the transport of a trigger. Granted by Google on first use, here before it.
resource "google_project_iam_member" "eventarc_agent" {
  project = var.project
  role    = "roles/eventarc.serviceAgent"
  member  = google_project_service_identity.agents["eventarc.googleapis.com"].member
}

# Cloud Storage publishes object events to a topic that Eventarc names only when the trigger is made, so the grant
# cannot be narrower than the project.
resource "google_project_iam_member" "storage_agent_publishes" {
  project = var.project
  role    = "roles/pubsub.publisher"
  member  = data.google_storage_project_service_account.agent.member
}

resource "google_kms_crypto_key_iam_member" "agents" {
  for_each = var.kms_key_name == null ? {} : {
    pubsub  = google_project_service_identity.agents["pubsub.googleapis.com"].member
    storage = data.google_storage_project_service_account.agent.member
  }
  crypto_key_id = var.kms_key_name
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = each.value
}

# Grants to the build account and to service agents take a while to hold everywhere; without this pause the first
# deployment fails on permissions that are there.
resource "time_sleep" "grants" {
  create_duration = "90s"

  depends_on = [
    google_artifact_registry_repository_iam_member.build_pushes,
    google_project_iam_member.build_logs,
    google_project_iam_member.build_reads_copy,
    google_project_iam_member.eventarc_agent,
    google_project_iam_member.storage_agent_publishes,
    google_storage_bucket_iam_member.build_reads,
  ]
}
