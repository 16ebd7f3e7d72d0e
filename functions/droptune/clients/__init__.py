"""Adapters to Google's APIs and to webhooks: one API per module, no rules inside."""
