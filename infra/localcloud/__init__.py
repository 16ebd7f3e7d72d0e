"""The Google Cloud services that an event-driven pipeline uses, on one machine, loopback only.

This package knows nothing of the application that runs on it: it reads a wiring file (``pipeline.yaml``),
starts storage, Pub/Sub, Eventarc, functions, Workflows and Vertex AI, and serves their real APIs.
"""
