output "id" {
  description = "Id of the workflow, projects/P/locations/R/workflows/NAME."
  value       = google_workflows_workflow.this.id
}

output "service_account_member" {
  description = "The workflow's identity, as an IAM member."
  value       = google_service_account.this.member
}
