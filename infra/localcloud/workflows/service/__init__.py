"""Definitions and executions as resources that are kept in a store."""
