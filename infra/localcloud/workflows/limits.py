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
# Not documented: how deep brackets and blocks may nest, so that neither can exhaust the host.
EXPRESSION_DEPTH: Final = 60
BLOCK_DEPTH: Final = 60
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
RESPONSE_BYTES: Final = 2 * KIB * KIB
CALLBACK_TIMEOUT_SECONDS: Final = 43_200.0

# Resources.
LABELS: Final = 64
DESCRIPTION_CHARACTERS: Final = 1000
ENVIRONMENT_VARIABLES: Final = 20
ENVIRONMENT_VALUE_BYTES: Final = 4 * KIB
