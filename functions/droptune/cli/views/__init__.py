"""What a person sees: pure functions from stories and snapshots to rich renderables."""
