terraform {
  # Keep the state in a bucket that is not part of this deployment:
  #   terraform init -backend-config=bucket=STATE_BUCKET
  backend "gcs" {
    prefix = "droptune"
  }
}

provider "google" {
  project = var.project
  region  = var.region
}

provider "google-beta" {
  project = var.project
  region  = var.region
}

module "droptune" {
  source              = "../.."
  project             = var.project
  region              = var.region
  kms_key_name        = var.kms_key_name
  force_destroy       = var.force_destroy
  deletion_protection = var.deletion_protection
  labels              = { application = "droptune", environment = "example" }
}
