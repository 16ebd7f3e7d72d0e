output "buckets" {
  description = "Buckets by their key in pipeline.yaml: name, and what they are for."
  value       = { for key, bucket in module.wiring.buckets : key => { name = module.bucket[key].name, purpose = bucket.purpose } }
}

output "dead_letter_commands" {
  description = "One gcloud command per trigger, setting what Terraform cannot set on Eventarc's own subscription."
  value       = { for name, trigger in module.trigger : name => trigger.dead_letter_command }
}

output "dead_letter_subscriptions" {
  description = "Where messages that could not be delivered are read."
  value = concat(
    flatten([for topic in module.topic : topic.dead_letter_subscriptions]),
    [for trigger in module.trigger : trigger.dead_letter_subscription],
  )
}

output "functions" {
  description = "Addresses of the functions. They answer inside Google Cloud only, and only to who may invoke them."
  value       = { for name, function in module.function : name => function.uri }
}

output "roles" {
  description = "Who may do what on which resource, and why."
  value       = [for grant in module.wiring.roles : "${grant.who}: ${grant.role} on ${grant.resource}, ${grant.why}"]
}

output "topics" {
  description = "Topics and what their messages say."
  value       = { for name, topic in module.wiring.topics : name => topic.purpose }
}

output "workflows" {
  description = "Ids of the workflows."
  value       = { for name, workflow in module.workflow : name => workflow.id }
}
