"""Droptune: from a dropped data set to a tuned, evaluated, registered model, or a clear reason why not.

Each hop of the pipeline is one use case (``validate``, ``plan``, ``evaluate``, ``register``, ``notify``): it takes one
fact and returns the next. Facts and ports are in ``events`` and ``ports``; adapters to Google's APIs in ``clients``.
"""

__version__ = "0.1.0"
