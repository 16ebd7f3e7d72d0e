"""The comparison of a tuned model with its base model: rows, prompts, contestants, metrics, statistics, verdict."""
