locals {
  pipeline = yamldecode(file(var.pipeline_file))

  # Terraform has no function of ours to call, so every text is cut into placeholders and the rest, and put together
  # again. A placeholder that is not in the table stops the plan.
  token = "\\{[^{}]*\\}|[^{}]+"

  plain = {
    "{project}" = var.project
    "{region}"  = var.region
  }

  bucket_names = {
    for key, bucket in local.pipeline.buckets : key => join("", [
      for part in regexall(local.token, bucket.name) : startswith(part, "{") ? local.plain[part] : part
    ])
  }

  # A function's variables cannot hold a function's address: it exists only after the variables are set.
  for_functions = merge(local.plain, { for key, name in local.bucket_names : "{bucket.${key}}" => name })
  for_workflows = merge(local.for_functions, { for key, uri in var.function_uris : "{function.${key}}" => uri })

  # Subscriptions of ours, by topic.
  subscriptions = {
    for topic in keys(local.pipeline.topics) : topic => {
      for name, subscription in try(local.pipeline.subscriptions, {}) : name => {
        ack_deadline_seconds    = subscription.ack_deadline_seconds
        max_delivery_attempts   = subscription.dead_letter.max_delivery_attempts
        minimum_backoff_seconds = subscription.retry.minimum_backoff_seconds
        maximum_backoff_seconds = subscription.retry.maximum_backoff_seconds
      } if subscription.topic == topic
    }
  }

  deliveries = {
    for name, trigger in local.pipeline.triggers : name => try(trigger.delivery, local.pipeline.trigger_delivery)
  }

  # One entry per role of a function or a workflow.
  roles = flatten([
    for kind, members in { function = local.pipeline.functions, workflow = local.pipeline.workflows } : [
      for name, member in members : [
        for entry in member.roles : {
          who      = "${kind}.${name}"
          role     = entry.role
          resource = entry.resource
          why      = entry.why
          kind     = split(".", entry.resource)[0]
          target   = entry.resource == "project" ? null : split(".", entry.resource)[1]
        }
      ]
    ]
  ])
}
