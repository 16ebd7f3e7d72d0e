output "name" {
  description = "The function's name, also that of its Cloud Run service."
  value       = google_cloudfunctions2_function.this.name
}

output "service_account_member" {
  description = "The function's identity, as an IAM member."
  value       = google_service_account.this.member
}

output "uri" {
  description = "The run.app address; internal callers must use this one, not the cloudfunctions.net one."
  value       = google_cloudfunctions2_function.this.service_config[0].uri
}
