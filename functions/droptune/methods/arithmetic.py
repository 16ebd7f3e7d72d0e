"""Steps, epochs and batches, as each method counts them.

Source: "Tune text models by using supervised tuning" (batch sizes by region), the RLHF and reinforcement tuning pages.
"""

from __future__ import annotations

from .catalogue import BaseModel

GPU_REGION, TPU_REGION = "us-central1", "europe-west4"  # where an accelerator_type computes, whatever the job's region
RLHF_BATCH = 64  # fixed, for the reward model and for the policy
RLHF_REWARD_EPOCHS, RLHF_POLICY_EPOCHS = (20, 30), (10, 20)
REINFORCEMENT_BATCH = 32  # prompts, unless the job asks for another
REINFORCEMENT_MOST_STEPS = 500
_REINFORCEMENT_STEPS, _REINFORCEMENT_MOST_EPOCHS = 110, 10


def batch_size(base_model: BaseModel, compute_region: str) -> int | None:
    """Rows of one step; None where it is not documented."""
    return base_model.batch_sizes.get(compute_region)


def steps_for(rows: int, epochs: float, batch: int) -> int:
    """The least steps that see every row `epochs` times."""
    return -int(-rows * epochs // batch)


def examples_seen(steps: int, batch: int) -> int:
    """Rows read in so many steps, repeated ones included."""
    return steps * batch


def epochs_of(steps: int, rows: int, batch: int) -> float:
    """How often so many steps see every row."""
    return steps * batch / rows


def evaluations(steps: int, interval: int) -> int:
    """How often a job of so many steps evaluates."""
    return steps // interval


def rlhf_steps(rows: int, epochs: int) -> int:
    """Steps of the reward model or of the policy: whole batches in every epoch."""
    return steps_for(rows, 1, RLHF_BATCH) * epochs


def reinforcement_default_epochs(prompts: int, batch: int = REINFORCEMENT_BATCH) -> float:
    """Epochs when none are asked for: about 110 steps, but no prompt more than 10 times."""
    return min(_REINFORCEMENT_STEPS * batch / prompts, _REINFORCEMENT_MOST_EPOCHS)


def reinforcement_steps(prompts: int, epochs: float, batch: int = REINFORCEMENT_BATCH) -> int:
    """Steps of a whole reinforcement run; the service takes at most `REINFORCEMENT_MOST_STEPS`."""
    return steps_for(prompts, epochs, batch)
