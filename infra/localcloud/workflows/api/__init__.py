"""The REST and gRPC APIs: requests to calls of the engine, and resources to their JSON and proto forms."""
