#!/usr/bin/env python3
"""Makes the vectors beside it, without any code of this project: RFC 8785 by Python's own json, base64
and hashlib. `input` is one of many ways to write the record, `canonical` the only canonical one."""
import base64
import hashlib
import json
import pathlib

HERE = pathlib.Path(__file__).parent
ID, AUTHOR = "01930000-0000-7000-8000-000000000001", "01930000-0000-7000-8000-0000000000aa"


def replica(byte):
    return base64.urlsafe_b64encode(bytes([byte]) * 16).decode().rstrip("=")


def raw(name):
    return base64.urlsafe_b64decode(name + "==")


def ordered(value):
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return {key: ordered(value[key]) for key in keys}
    return [ordered(v) for v in value] if isinstance(value, list) else value


def record(kind, context, writes):
    return {"writes": writes, "kind": kind, "id": ID, "context": context, "created_by": AUTHOR}


def canonical(rec):
    rec = dict(rec)
    rec["context"] = sorted(rec["context"], key=lambda entry: raw(entry[0]))
    rec["writes"] = sorted(rec["writes"], key=lambda write: (write[1], raw(write[0])))
    return json.dumps(ordered(rec), ensure_ascii=False, separators=(",", ":"))


A, B, C = replica(0x11), replica(0xF0), replica(0x80)
PHOTO = "photos." + "ab" * 32
VECTORS = {
    "minimal": record("hazard", [[A, 1]], [[A, 1, {"title": "x"}]]),
    "chinese": record("hazard", [[A, 2]], [
        [A, 2, {"title": "姚关镇清平村边坡开裂", "grid": "530521103200001", "category": "slope"}],
        [A, 1, {"description": "第一行\n\"引号\" \\ 制表\t\u0001\u007f\u2028 é 😀"}]]),
    "siblings": record("hazard", [[B, 7], [C, 3], [A, 7]], [
        [B, 7, {"severity": "major", "title": "乙"}],
        [C, 3, {"severity": "general"}],
        [A, 7, {"severity": "serious", PHOTO: {"taken_at": 1700000000, "caption": ""}}]]),
    "deleted": record("patrol", [[A, 2], [B, 4]], [
        [B, 4, {"$deleted": {B: 3, A: 2}}],
        [A, 2, {"team": "qingping", "started_at": -1, "line": ["_p~iF~ps|U", ""]}]]),
    "utf16_keys": record("dispute", [[A, 1]], [[A, 1, {"words": {
        "\ue000": 1, "😀": 2, "é": 3, "a": 4, "A": 5, "键": 6, "": 7, "\uffff": 8}}]]),
    "integers": record("dispute", [[A, 9007199254740991]], [[A, 9007199254740991, {
        "n": [9007199254740991, -9007199254740991, 0, -1], "b": [True, False, None], "o": {}}]]),
}

for name, rec in VECTORS.items():
    text = canonical(rec)
    vector = {
        "name": name,
        "input": json.dumps(rec, indent=1),
        "canonical": text,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    (HERE / f"{name}.json").write_text(
        json.dumps(vector, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
