"""The runs bucket, read: which runs there are, and what each folder holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .ledger import Entry, Report, read
from .story import Story, tell


class Bucket(Protocol):
    """What reading needs of Cloud Storage. `bucket.CloudBucket` is it; tests bring a dictionary."""

    def folders(self) -> list[str]:
        """The names before the first ``/``."""
        ...

    def list(self, folder: str) -> list[Entry]:
        """The objects below a folder, without their bytes, named relative to it."""
        ...

    def read(self, name: str) -> bytes:
        """An object's bytes; KeyError when it is not there."""
        ...

    def created(self, name: str, generation: int) -> float | None:
        """When that generation of an object was written; None when it is gone."""
        ...


class RunsReader:
    """Reads ledgers. Their objects are written once, so each is fetched once in this reader's life."""

    def __init__(self, runs: Bucket, intake: Bucket) -> None:
        self._bucket = runs
        self._intake = intake
        self._read: dict[str, bytes] = {}
        self._dropped: dict[tuple[str, int], float | None] = {}

    def run_ids(self) -> list[str]:
        """All runs, in name order."""
        return sorted(self._bucket.folders())

    def story(self, run_id: str) -> Story | None:
        """The run's story as it stands, or None when there is no such run."""
        entries = self._entries(run_id)
        if not entries:
            return None
        return tell(run_id, entries, self._drop_time(entries))

    def report(self, run_id: str) -> Report | None:
        """Only the run's report, or None as long as there is none."""
        name = f"{run_id}/report.json"
        try:
            data = self._fetch(name)
        except KeyError:
            return None
        return read({"report.json": Entry("report.json", 0.0, data)}, "report.json", Report)

    def _entries(self, run_id: str) -> Mapping[str, Entry]:
        entries = {}
        for listed in self._bucket.list(run_id):
            wanted = listed.name.endswith(".json") and "/" not in listed.name
            data = self._fetch(f"{run_id}/{listed.name}") if wanted else b""
            entries[listed.name] = Entry(listed.name, listed.created, data)
        return entries

    def _fetch(self, name: str) -> bytes:
        if name not in self._read:
            self._read[name] = self._bucket.read(name)
        return self._read[name]

    def _drop_time(self, entries: Mapping[str, Entry]) -> float | None:
        report = read(entries, "report.json", Report)
        if report is None:
            return None
        keys = [(file.name, file.generation) for file in report.files]
        for key in keys:
            if key not in self._dropped:
                self._dropped[key] = self._intake.created(*key)
        known = [time for key in keys if (time := self._dropped[key]) is not None]
        return max(known) if known and len(known) == len(keys) else None
