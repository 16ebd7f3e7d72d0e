"""Two functions: one publishes what it saw, the other writes down what it is told."""

import os
from pathlib import Path

import functions_framework
from google.cloud import pubsub_v1

NOTES = Path(os.environ["NOTES"])


@functions_framework.cloud_event
def see(event):
    name = event.data["name"]
    with NOTES.open("a") as notes:
        notes.write(f"seen {name}\n")
    if name.startswith("poison"):
        raise ValueError("asked to fail")
    publisher = pubsub_v1.PublisherClient()
    publisher.publish(f"projects/{os.environ['PROJECT']}/topics/seen", name.encode()).result()


@functions_framework.http
def note(request):
    with NOTES.open("a") as notes:
        notes.write(f"hopped {request.get_json()['name']}\n")
    return {}
