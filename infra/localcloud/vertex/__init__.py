"""Vertex AI on one machine: tuning jobs, models and endpoints over REST, with a worker that really tunes."""
