# The pipeline. Which buckets, topics, functions, workflows and triggers there are is written in ../pipeline.yaml only.

locals {
  repository_root = "${path.module}/../.."
}

module "wiring" {
  source        = "./modules/wiring"
  pipeline_file = "${path.module}/../pipeline.yaml"
  project       = var.project
  region        = var.region
  function_uris = { for name, function in module.function : name => function.uri }
}

module "bucket" {
  source            = "./modules/bucket"
  for_each          = module.wiring.buckets
  name              = each.value.name
  project           = var.project
  location          = var.region
  delete_after_days = each.value.delete_after_days
  force_destroy     = var.force_destroy
  kms_key_name      = var.kms_key_name
  labels            = var.labels

  depends_on = [google_project_service.these, google_kms_crypto_key_iam_member.agents]
}

module "topic" {
  source        = "./modules/topic"
  for_each      = module.wiring.topics
  name          = each.key
  project       = var.project
  kms_key_name  = var.kms_key_name
  labels        = var.labels
  pubsub_agent  = google_project_service_identity.agents["pubsub.googleapis.com"].member
  subscriptions = each.value.subscriptions

  depends_on = [google_project_service.these, google_kms_crypto_key_iam_member.agents]
}

module "function" {
  source                = "./modules/function"
  for_each              = module.wiring.functions
  name                  = each.key
  project               = var.project
  region                = var.region
  purpose               = each.value.purpose
  entry_point           = each.value.entry_point
  memory_mib            = each.value.memory_mib
  timeout_seconds       = each.value.timeout_seconds
  max_instances         = each.value.max_instances
  environment           = module.wiring.functions_environment
  labels                = var.labels
  build_service_account = google_service_account.build.name
  docker_repository     = google_artifact_registry_repository.functions.id
  source_archive = {
    bucket = module.source_bucket.name
    object = google_storage_bucket_object.functions.name
  }

  depends_on = [time_sleep.grants]
}

module "workflow" {
  source              = "./modules/workflow"
  for_each            = module.wiring.workflows
  name                = each.key
  project             = var.project
  region              = var.region
  purpose             = each.value.purpose
  source_contents     = file("${local.repository_root}/${each.value.source}")
  environment         = each.value.environment
  deletion_protection = var.deletion_protection
  labels              = var.labels

  depends_on = [google_project_service.these]
}

module "trigger" {
  source       = "./modules/trigger"
  for_each     = module.wiring.triggers
  name         = each.key
  project      = var.project
  region       = var.region
  event        = each.value.event
  bucket       = each.value.bucket == null ? null : module.bucket[each.value.bucket].name
  topic        = each.value.topic == null ? null : { id = module.topic[each.value.topic].id }
  function     = each.value.function == null ? null : { name = module.function[each.value.function].name }
  workflow     = each.value.workflow == null ? null : { id = module.workflow[each.value.workflow].id }
  delivery     = each.value.delivery
  kms_key_name = var.kms_key_name
  labels       = var.labels
  pubsub_agent = google_project_service_identity.agents["pubsub.googleapis.com"].member

  # Last of all: an event that arrives before its function may read or publish would end as a dead letter.
  depends_on = [
    google_cloud_run_v2_service_iam_member.roles,
    google_project_iam_member.roles,
    google_pubsub_topic_iam_member.roles,
    google_storage_bucket_iam_member.roles,
    time_sleep.grants,
  ]
}
