# The roles of ../pipeline.yaml, each on the resource that it names; the reasons are there and in the output `roles`.

locals {
  members = merge(
    { for name, function in module.function : "function.${name}" => function.service_account_member },
    { for name, workflow in module.workflow : "workflow.${name}" => workflow.service_account_member },
  )
}

resource "google_storage_bucket_iam_member" "roles" {
  for_each = { for key, grant in module.wiring.roles : key => grant if grant.kind == "bucket" }
  bucket   = module.bucket[each.value.target].name
  role     = each.value.role
  member   = local.members[each.value.who]
}

resource "google_pubsub_topic_iam_member" "roles" {
  for_each = { for key, grant in module.wiring.roles : key => grant if grant.kind == "topic" }
  project  = var.project
  topic    = module.topic[each.value.target].name
  role     = each.value.role
  member   = local.members[each.value.who]
}

# A function is invoked through its Cloud Run service, which has the function's name.
resource "google_cloud_run_v2_service_iam_member" "roles" {
  for_each = { for key, grant in module.wiring.roles : key => grant if grant.kind == "function" }
  project  = var.project
  location = var.region
  name     = module.function[each.value.target].name
  role     = each.value.role
  member   = local.members[each.value.who]
}

resource "google_project_iam_member" "roles" {
  for_each = { for key, grant in module.wiring.roles : key => grant if grant.kind == "project" }
  project  = var.project
  role     = each.value.role
  member   = local.members[each.value.who]
}
