output "droptune" {
  description = "Everything that the deployment tells: addresses, roles, and the commands to run after it."
  value       = module.droptune
}
