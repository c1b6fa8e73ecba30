#!/usr/bin/env python3
"""Length and fixes of GPX tracks, by Vincenty's inverse formula on WGS-84 (T. Vincenty, Survey Review 23, 1975):
no code and no library shared with the product. Prints one JSON object a file."""
import json
import math
import sys
import xml.etree.ElementTree as xml

A, F = 6378137.0, 1 / 298.257223563
B = A * (1 - F)


def metres(lat1, lon1, lat2, lon2):
    if (lat1, lon1) == (lat2, lon2):
        return 0.0
    u1 = math.atan((1 - F) * math.tan(math.radians(lat1)))
    u2 = math.atan((1 - F) * math.tan(math.radians(lat2)))
    across = math.radians(lon2 - lon1)
    lam = across
    for _ in range(100):
        sin_sigma = math.hypot(math.cos(u2) * math.sin(lam),
                               math.cos(u1) * math.sin(u2) - math.sin(u1) * math.cos(u2) * math.cos(lam))
        if sin_sigma == 0:
            return 0.0
        cos_sigma = math.sin(u1) * math.sin(u2) + math.cos(u1) * math.cos(u2) * math.cos(lam)
        sigma = math.atan2(sin_sigma, cos_sigma)
        sin_alpha = math.cos(u1) * math.cos(u2) * math.sin(lam) / sin_sigma
        cos2_alpha = 1 - sin_alpha ** 2
        cos2 = cos_sigma - 2 * math.sin(u1) * math.sin(u2) / cos2_alpha if cos2_alpha else 0.0
        c = F / 16 * cos2_alpha * (4 + F * (4 - 3 * cos2_alpha))
        before, lam = lam, across + (1 - c) * F * sin_alpha * (
            sigma + c * sin_sigma * (cos2 + c * cos_sigma * (2 * cos2 ** 2 - 1)))
        if abs(lam - before) < 1e-12:
            break
    u = cos2_alpha * (A ** 2 - B ** 2) / B ** 2
    a = 1 + u / 16384 * (4096 + u * (-768 + u * (320 - 175 * u)))
    b = u / 1024 * (256 + u * (-128 + u * (74 - 47 * u)))
    delta = b * sin_sigma * (cos2 + b / 4 * (cos_sigma * (2 * cos2 ** 2 - 1) - b / 6 * cos2
                                             * (4 * sin_sigma ** 2 - 3) * (4 * cos2 ** 2 - 3)))
    return B * a * (sigma - delta)


def measured(path):
    length, fixes = 0.0, 0
    for segment in xml.parse(path).getroot().findall(".//{*}trkseg"):
        points = [(float(p.get("lat")), float(p.get("lon"))) for p in segment.findall("{*}trkpt")]
        fixes += len(points)
        length += sum(metres(*one, *next_one) for one, next_one in zip(points, points[1:]))
    return {"metres": round(length, 1), "fixes": fixes}


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(json.dumps(measured(name)))
