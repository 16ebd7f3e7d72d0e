# Who calls the destination. It may do nothing else.
resource "google_service_account" "this" {
  project      = var.project
  account_id   = "trig-${var.name}"
  display_name = "Trigger ${var.name}"
  description  = "Delivers the events of the Eventarc trigger ${var.name}."
}

resource "google_cloud_run_v2_service_iam_member" "invokes_function" {
  count    = var.function == null ? 0 : 1
  project  = var.project
  location = var.region
  name     = var.function.name
  role     = "roles/run.invoker"
  member   = google_service_account.this.member
}

# Workflows offers no grant on one workflow.
resource "google_project_iam_member" "invokes_workflow" {
  count   = var.workflow == null ? 0 : 1
  project = var.project
  role    = "roles/workflows.invoker"
  member  = google_service_account.this.member
}

# Events of a topic need no such role; all others do, and it exists for projects only.
resource "google_project_iam_member" "receives_events" {
  count   = var.topic == null ? 1 : 0
  project = var.project
  role    = "roles/eventarc.eventReceiver"
  member  = google_service_account.this.member
}

# Pub/Sub signs what it pushes as this account. Projects that have used Pub/Sub since before April 2021 lack the right.
resource "google_service_account_iam_member" "pubsub_signs" {
  service_account_id = google_service_account.this.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = var.pubsub_agent
}

resource "google_eventarc_trigger" "this" {
  project         = var.project
  location        = var.region
  name            = var.name
  labels          = var.labels
  service_account = google_service_account.this.email

  # What functions-framework and the workflow can read; the other choice is protobuf.
  event_data_content_type = "application/json"

  matching_criteria {
    attribute = "type"
    value     = var.event
  }

  dynamic "matching_criteria" {
    for_each = var.bucket == null ? [] : [var.bucket]
    content {
      attribute = "bucket"
      value     = matching_criteria.value
    }
  }

  dynamic "transport" {
    for_each = var.topic == null ? [] : [var.topic.id]
    content {
      pubsub {
        topic = transport.value
      }
    }
  }

  destination {
    workflow = var.workflow == null ? null : var.workflow.id

    # A function is addressed as the Cloud Run service that it is.
    dynamic "cloud_run_service" {
      for_each = var.function == null ? [] : [var.function.name]
      content {
        service = cloud_run_service.value
        region  = var.region
      }
    }
  }

  depends_on = [
    google_cloud_run_v2_service_iam_member.invokes_function,
    google_project_iam_member.invokes_workflow,
    google_project_iam_member.receives_events,
    google_service_account_iam_member.pubsub_signs,
  ]
}

module "dead_letter" {
  source       = "../dead_letter"
  name         = var.name
  project      = var.project
  kms_key_name = var.kms_key_name
  labels       = var.labels
  pubsub_agent = var.pubsub_agent
}

locals {
  # Made and owned by Eventarc, also where no transport is asked for. Terraform may grant on it, but not change it.
  subscription = google_eventarc_trigger.this.transport[0].pubsub[0].subscription
}

# Pub/Sub acknowledges a message that it moved to the dead-letter topic, under its own account.
resource "google_pubsub_subscription_iam_member" "agent_acknowledges" {
  project      = var.project
  subscription = local.subscription
  role         = "roles/pubsub.subscriber"
  member       = var.pubsub_agent
}
