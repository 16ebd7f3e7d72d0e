# How the functions are built: one archive of the functions folder, for all of them, built under an account of its own.

locals {
  functions_folder = "${local.repository_root}/${module.wiring.functions_source}"
  not_deployed = [
    for line in split("\n", file("${local.functions_folder}/.gcloudignore")) : trimspace(line)
    if trimspace(line) != "" && !startswith(trimspace(line), "#")
  ]
}

data "archive_file" "functions" {
  type        = "zip"
  source_dir  = local.functions_folder
  excludes    = local.not_deployed
  output_path = "${path.root}/.terraform/functions.zip"
}

module "source_bucket" {
  source        = "./modules/bucket"
  name          = "${var.project}-functions"
  project       = var.project
  location      = var.region
  force_destroy = var.force_destroy
  kms_key_name  = var.kms_key_name
  labels        = var.labels

  depends_on = [google_project_service.these, google_kms_crypto_key_iam_member.agents]
}

# Named by its content, so that changed code is a changed function and unchanged code is not deployed again.
resource "google_storage_bucket_object" "functions" {
  bucket = module.source_bucket.name
  name   = "functions-${data.archive_file.functions.output_sha256}.zip"
  source = data.archive_file.functions.output_path
}

# Ours, so that the build account can be held to it and a teardown takes the images along.
resource "google_artifact_registry_repository" "functions" {
  project       = var.project
  location      = var.region
  repository_id = "droptune-functions"
  description   = "Images of the functions, built by Cloud Build."
  format        = "DOCKER"
  labels        = var.labels

  cleanup_policies {
    id     = "keep-five"
    action = "KEEP"
    most_recent_versions {
      keep_count = 5
    }
  }

  cleanup_policies {
    id     = "delete-older"
    action = "DELETE"
    condition {
      older_than = "30d"
    }
  }

  depends_on = [google_project_service.these]
}

resource "google_service_account" "build" {
  project      = var.project
  account_id   = "functions-build"
  display_name = "Build of the functions"
  description  = "Builds the functions' images; runs nothing."

  depends_on = [google_project_service.these]
}

resource "google_artifact_registry_repository_iam_member" "build_pushes" {
  project    = var.project
  location   = var.region
  repository = google_artifact_registry_repository.functions.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

resource "google_storage_bucket_iam_member" "build_reads" {
  bucket = module.source_bucket.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.build.member
}

# Cloud Run functions copies the archive to a bucket of its own, which it makes at the first deployment. So the grant is
# on the project, and its condition holds it to that bucket.
resource "google_project_iam_member" "build_reads_copy" {
  project = var.project
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member

  condition {
    title       = "copies of the functions source"
    description = "Only the buckets in which Cloud Run functions keeps deployed source."
    expression  = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-\")"
  }
}

# Log buckets take no narrower grant.
resource "google_project_iam_member" "build_logs" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}
