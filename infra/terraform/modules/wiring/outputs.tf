output "buckets" {
  description = "Buckets by key, their names filled in."
  value = {
    for key, bucket in local.pipeline.buckets : key => {
      name              = local.bucket_names[key]
      purpose           = bucket.purpose
      delete_after_days = try(bucket.delete_after_days, null)
    }
  }

  precondition {
    condition     = local.pipeline.version == 1
    error_message = "pipeline.yaml has a version that this configuration does not know; it knows 1."
  }
}

output "functions" {
  description = "Functions by name."
  value = {
    for name, function in local.pipeline.functions : name => {
      purpose         = function.purpose
      entry_point     = function.entry_point
      memory_mib      = function.memory_mib
      timeout_seconds = function.timeout_seconds
      max_instances   = function.max_instances
    }
  }
}

output "functions_environment" {
  description = "Variables of every function, filled in."
  value = {
    for variable, text in local.pipeline.functions_environment : variable => join("", [
      for part in regexall(local.token, text) : startswith(part, "{") ? local.for_functions[part] : part
    ])
  }
}

output "functions_source" {
  description = "Folder of the functions, from the repository root."
  value       = local.pipeline.functions_source
}

output "roles" {
  description = "Every role, keyed by who has it on what: who, role, resource (also as kind and target), why."
  value       = { for grant in local.roles : "${grant.who} ${grant.role} on ${grant.resource}" => grant }
}

output "topics" {
  description = "Topics by name, with the subscriptions of ours."
  value = {
    for name, topic in local.pipeline.topics : name => {
      purpose       = topic.purpose
      subscriptions = local.subscriptions[name]
    }
  }
}

output "triggers" {
  description = "Triggers by name: a bucket's key or a topic, to a function or a workflow, null where it is the other."
  value = {
    for name, trigger in local.pipeline.triggers : name => {
      event    = trigger.event
      bucket   = try(trigger.bucket, null)
      topic    = try(trigger.topic, null)
      function = try(trigger.function, null)
      workflow = try(trigger.workflow, null)
      delivery = {
        ack_deadline_seconds    = local.deliveries[name].ack_deadline_seconds
        max_delivery_attempts   = local.deliveries[name].dead_letter.max_delivery_attempts
        minimum_backoff_seconds = local.deliveries[name].retry.minimum_backoff_seconds
        maximum_backoff_seconds = local.deliveries[name].retry.maximum_backoff_seconds
      }
    }
  }

  precondition {
    condition = alltrue([
      for trigger in local.pipeline.triggers :
      local.pipeline.functions[trigger.function].signature == "cloudevent" if can(trigger.function)
    ])
    error_message = "A trigger sends CloudEvents: the function that it names must have signature cloudevent."
  }
}

output "workflows" {
  description = "Workflows by name, their variables filled in."
  value = {
    for name, workflow in local.pipeline.workflows : name => {
      purpose = workflow.purpose
      source  = workflow.source
      environment = {
        for variable, text in workflow.environment : variable => join("", [
          for part in regexall(local.token, text) : startswith(part, "{") ? local.for_workflows[part] : part
        ])
      }
    }
  }
}
