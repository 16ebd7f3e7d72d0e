"""An execution that runs: steps, scopes, branches, retries, and the journal of its effects."""
