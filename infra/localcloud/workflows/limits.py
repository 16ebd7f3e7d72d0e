"""The limits of Cloud Workflows as constants (documentation: "Quotas and limits", "Syntax cheat sheet")."""

from __future__ import annotations

from typing import Final

KIB: Final = 1024

# Source, checked at deployment.
SOURCE_BYTES: Final = 128 * KIB
EXPRESSION_CHARACTERS: Final = 400
ASSIGNMENTS_PER_STEP: Final = 50
CONDITIONS_PER_SWITCH: Final = 50
BRANCHES_MINIMUM: Final = 2
BRANCHES_MAXIMUM: Final = 10
PARAMETERS_OF_MAIN: Final = 1
# Not documented: how deep brackets, blocks and values may nest, so that none can exhaust the host.
EXPRESSION_DEPTH: Final = 60
BLOCK_DEPTH: Final = 60
VALUE_DEPTH: Final = 200
SOURCE_NODES: Final = 100_000

# One execution.
ARGUMENT_BYTES: Final = 512 * KIB
STEPS: Final = 100_000
CALL_DEPTH: Final = 20
PARALLEL_NESTING: Final = 2
CONCURRENT_BRANCHES: Final = 20
REPORTED_BRANCH_ERRORS: Final = 100
MEMORY_BYTES: Final = 512 * KIB
STRING_BYTES: Final = 256 * KIB
DURATION_SECONDS: Final = 365 * 24 * 3600
INTEGER_MINIMUM: Final = -(2**63)
INTEGER_MAXIMUM: Final = 2**63 - 1

# Calls that leave the workflow.
HTTP_TIMEOUT_SECONDS: Final = 300
HTTP_TIMEOUT_MAXIMUM_SECONDS: Final = 1800
CONNECTOR_TIMEOUT_SECONDS: Final = 1800.0
CONNECTOR_TIMEOUT_MAXIMUM_SECONDS: Final = 31_536_000
RESPONSE_BYTES: Final = 2 * KIB * KIB
CALLBACK_TIMEOUT_SECONDS: Final = 43_200.0

# Step history, not documented: how many entries of an execution are kept (after them only failed ones, as many as the
# second number), how long a value may be to be kept whole, and how much all values of an execution may take.
HISTORY_ENTRIES: Final = 5_000
HISTORY_FAILED_ENTRIES: Final = 1_000
HISTORY_VALUE_CHARACTERS: Final = 2_000
HISTORY_VALUES_CHARACTERS: Final = 8 * KIB * KIB
# Not documented: how much of a value a line of the call log has.
LOGGED_VALUE_CHARACTERS: Final = 2_000

# Resources.
LABELS: Final = 64
LABEL_CHARACTERS: Final = 63
DESCRIPTION_CHARACTERS: Final = 1000
ENVIRONMENT_VARIABLES: Final = 20
ENVIRONMENT_VALUE_BYTES: Final = 4 * KIB
