#!/usr/bin/env python3
"""Counts what must come of importing landslides-2007-2012.csv, by the rules that
crates/exchange/mappings/nasa-landslides.toml states in words.

Shares no code and no data with the product: standard library only. Called with the path of the CSV;
prints one JSON object. `digest` is SHA-256 over one line for each imported row, so that not only the
numbers but the values can be compared.
"""
import csv
import datetime as dt
import decimal
import hashlib
import io
import json
import re
import sys

CATEGORY = {"landslide", "mudslide", "complex", "rockfall", "debris_flow", "lahar",
            "riverbank_collapse", "earthflow", "creep"}
SEVERITY = {"small": "general", "medium": "serious", "large": "major", "very_large": "major",
            "": "general"}
NOT_IN_WINDOWS_1252 = (0x81, 0x8D, 0x8F, 0x90, 0x9D)


def repaired(text):
    """UTF-8 read as Mac OS Roman and written as Windows-1252; never where a `?` hides a character."""
    def stretch(found):
        damaged = found.group()
        if "?" in damaged:
            return damaged
        try:
            return damaged.encode("mac_roman").decode("utf-8")
        except UnicodeError:
            return damaged
    return re.sub(r"(?:[^\x00-\x7f]|\?)+", stretch, text)


def moment(date, time):
    """Seconds since 1970 UTC of the date and, if it is one, the time of day."""
    day = dt.datetime.strptime(date, "%m/%d/%Y")
    for form in ("%H:%M:%S", "%H:%M", "%I:%M %p"):
        try:
            clock = dt.datetime.strptime(time, form)
            day = day.replace(hour=clock.hour, minute=clock.minute, second=clock.second)
            break
        except ValueError:
            pass
    return int((day - dt.datetime(1970, 1, 1)).total_seconds())


def degrees_e7(text, most):
    value = decimal.Decimal(text)
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?", text) or abs(value) > most:
        raise ValueError(text)
    return int((value * 10**7).quantize(decimal.Decimal(1), rounding=decimal.ROUND_HALF_UP))


def cut(text, most=200):
    return text if len(text) <= most else text[:most - 1] + "…"


def record(row):
    """The fields of a valid row; ValueError for any other."""
    key = row["id"].replace(",", "")
    if not key:
        raise ValueError("key")
    kinds = [row[name].lower() for name in ("landslide_type", "hazard_type")]
    if not any(kind in CATEGORY for kind in kinds):
        raise ValueError("category")
    if row["landslide_size"].lower() not in SEVERITY:
        raise ValueError("severity")
    try:
        lat = degrees_e7(row["latitude"], 90)
        lon = degrees_e7(row["longitude"], 180)
    except decimal.InvalidOperation:
        raise ValueError("position") from None
    if lat == 0 and lon == 0:
        raise ValueError("position")
    title = ", ".join(x for x in (row["nearest_places"], row["countryname"]) if x)
    return [key, "slope", SEVERITY[row["landslide_size"].lower()],
            str(moment(row["date"], row["time"])), str(lat), str(lon), cut(title)]


def rows(path):
    """(physical line of the row's start, row); cells read byte for byte and then as Windows-1252."""
    raw = open(path, "rb").read()
    reader = csv.reader(io.StringIO(raw.decode("latin-1"), newline=""))
    header = next(reader)
    line = reader.line_num + 1
    for cells in reader:
        yield line, header, cells
        line = reader.line_num + 1


def main(path):
    read = 0
    seen, already, rejected, digest = [], 0, [], hashlib.sha256()
    known = set()
    for line, header, cells in rows(path):
        read += 1
        try:
            joined = "".join(cells)
            if len(cells) != len(header) or any(chr(b) in joined for b in NOT_IN_WINDOWS_1252):
                raise ValueError("bytes")
            texts = [repaired(c.encode("latin-1").decode("cp1252")).strip() for c in cells]
            fields = record(dict(zip(header, texts)))
        except ValueError:
            rejected.append(line)
            continue
        if fields[0] in known:
            already += 1
            continue
        known.add(fields[0])
        seen.append(fields[0])
        digest.update(("\x1f".join(fields) + "\n").encode("utf-8"))
    print(json.dumps({"read": read, "imported": len(seen), "rejected": len(rejected),
                      "already": already, "reject_lines": rejected, "keys": seen,
                      "digest": digest.hexdigest()}))


if __name__ == "__main__":
    main(sys.argv[1])
