#!/usr/bin/env python3
"""Checks that need no Rust: what other programs made and counted still holds. Exit 1 when it does not.

The canonical vectors are made anew beside the committed ones and compared byte for byte. The counts of the
small table are compared with what can be seen of its raw lines without parsing them as CSV, and the lengths of
recorded tracks with what a third program reckons.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VECTORS = ROOT / "crates/model/tests/vectors"
TABLE = ROOT / "tests/fixtures/landslides-small.csv"


def python(*arguments):
    return subprocess.run([sys.executable, *map(str, arguments)], check=True,
                          stdout=subprocess.PIPE).stdout


def vectors_are_as_committed():
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder)
        shutil.copy(VECTORS / "generate.py", copy)
        python(copy / "generate.py")
        made = {path.name: path.read_bytes() for path in copy.glob("*.json")}
    committed = {path.name: path.read_bytes() for path in VECTORS.glob("*.json")}
    differing = sorted(name for name in made.keys() | committed.keys()
                       if made.get(name) != committed.get(name))
    return len(committed) > 0 and not differing, f"{len(committed)} vectors, differing: {differing}"


def the_small_table_is_counted_right():
    counts = json.loads(python(ROOT / "tests/independent/landslides.py", TABLE))
    lines = TABLE.read_bytes().split(b"\r\n")[1:-1]
    # No row of this table breaks a line; the date is the second cell, and an id holds no quoted comma
    # but the thousands separator.
    dates = [line.split(b'",', 1)[1] if line.startswith(b'"') else line.split(b",", 1)[1]
             for line in lines]
    undated = [number for number, rest in enumerate(dates, start=2) if rest.startswith(b",")]
    holds = (counts["read"] == len(lines) and counts["reject_lines"] == undated
             and counts["imported"] + counts["rejected"] + counts["already"] == len(lines)
             and 0 < len(undated) < len(lines))
    said = {name: counts[name] for name in ("read", "imported", "rejected", "already")}
    return holds, f"{said}, lines without a date: {undated}"


def the_tracks_are_as_long_as_they_are_said_to_be():
    """The lengths that tests/e2e/tracks.rs holds the product to (gpxpy's) agree with a third program."""
    folder = ROOT.parent / "shared/data/gpx"
    if not folder.exists():
        return True, "skipped 1: ../shared is not there"
    said = re.findall(r'\("([^"]+)", ([0-9_.]+), (\d+), \d+, \d+\)', (ROOT / "tests/e2e/tracks.rs").read_text())
    off = []
    for name, metres, fixes in said:
        found = json.loads(python(ROOT / "tests/independent/tracks.py", folder / f"{name}.gpx"))
        metres = float(metres.replace("_", ""))
        if abs(found["metres"] - metres) > 0.005 * metres or found["fixes"] != int(fixes):
            off.append((name, metres, found))
    return len(said) == 5 and not off, f"{len(said)} tracks, off by more than 0.5 %: {off}"


def main():
    failed = 0
    checks = (vectors_are_as_committed, the_small_table_is_counted_right,
              the_tracks_are_as_long_as_they_are_said_to_be)
    for check in checks:
        holds, detail = check()
        failed += not holds
        print(f"{'ok' if holds else 'FAILED'}  {check.__name__}: {detail}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
