"""Runs the notebook and saves its outputs: `python -m scripts.notebook`."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parent.parent / "credit_card_approval.ipynb"


def main() -> int:
    """Run every cell; if one fails, stop and leave the file as it was."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]  # nbformat has no types
    client = NotebookClient(
        notebook, kernel_name="python3", record_timing=False, resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    )
    client.execute()
    # The machine's Python version would differ in every run, and says nothing about the model.
    notebook.metadata.language_info = {"name": "python"}
    nbformat.write(notebook, NOTEBOOK)  # type: ignore[no-untyped-call]  # as above
    return 0


if __name__ == "__main__":
    sys.exit(main())
