"""Paths that the user typed: which of them are files to read, and how they are shown and typed again."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote

from .group import CliError, InputError

SCHEME = "gs://"


def require_file(path: Path) -> None:
    """CliError when the path is no file that can be read, and read again: files are gone through more than once."""
    if str(path) == "-":
        raise CliError("standard input cannot be read. Write the rows to a file, and name that.")
    try:
        if not path.is_file() and path.stat():
            raise CliError(f"{shown(path)} is a pipe or a device. Write the rows to a file, and name that.")
        path.open("rb").close()
    except OSError as error:
        raise CliError(f"{shown(path)} cannot be read: {error.strerror}. Check the path.") from error


def require_local(path: str) -> None:
    """InputError when what was typed is an address in a bucket."""
    if path.startswith(SCHEME):
        raise InputError(f"{path} is in a bucket. Copy it first: gcloud storage cp {word(path)} .")


def shown(path: str | Path) -> str:
    """A path as text: bytes of its name that are no UTF-8 are written as ``\\xff``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def word(path: str) -> str:
    """A path as a shell takes it, so that the line can be copied whatever the name is."""
    typed = f"./{path}" if path.startswith("-") else path
    if typed.isprintable():
        return quote(typed)
    return "$'" + "".join(_escaped(character) for character in typed) + "'"


def _escaped(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    return character if character.isprintable() else "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))
