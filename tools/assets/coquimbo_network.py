#!/usr/bin/env python3
"""Takes the OpenStreetMap links out of AequilibraE's Coquimbo example as a GMNS network.

    python3 -m pip download --no-deps aequilibrae==1.7.2
    python3 tools/assets/coquimbo_network.py aequilibrae-1.7.2-*.whl assets/coquimbo/network

Only links and nodes are taken: they are OpenStreetMap's (ODbL). Zones, population and timetables of the
example have no stated licence and stay where they are; `city.toml` fetches them from the package.
Centroids and their connectors are left out. The standard library is enough; equal input gives equal bytes.
"""

import csv
import gzip
import hashlib
import io
import pathlib
import sqlite3
import struct
import sys
import tempfile
import zipfile

MEMBER = "aequilibrae/reference_files/coquimbo.zip"
MEMBER_SHA256 = "43de7e2ac90e87eb8d9ea8149e16f48c0c4e5bdf3ac8946a8f116f3bc51dc2a2"


def coordinates(blob):
    """Points of a SpatiaLite geometry: a point or a line string in longitude and latitude."""
    order = "<" if blob[1] == 1 else ">"
    assert blob[0] == 0 and blob[38] == 0x7C and blob[-1] == 0xFE, "not a SpatiaLite geometry"
    (kind,) = struct.unpack_from(order + "I", blob, 39)
    if kind == 1:
        return [struct.unpack_from(order + "2d", blob, 43)]
    assert kind == 2, f"geometry type {kind}, expected a point or a line"
    (count,) = struct.unpack_from(order + "I", blob, 43)
    return [struct.unpack_from(order + "2d", blob, 47 + 16 * i) for i in range(count)]


def number(value, digits):
    """As short as it can be: 0.25000 is 0.25."""
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")


def write(folder, name, header, rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    packed = gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0)
    (folder / f"{name}.gz").write_bytes(packed)
    print(f"{name}.gz: {len(packed)} bytes")


def main(wheel, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    member = zipfile.ZipFile(wheel).read(MEMBER)
    digest = hashlib.sha256(member).hexdigest()
    assert digest == MEMBER_SHA256, f"{MEMBER} has SHA-256 {digest}, expected {MEMBER_SHA256}"
    with tempfile.TemporaryDirectory() as place:
        zipfile.ZipFile(io.BytesIO(member)).extract("project_database.sqlite", place)
        database = sqlite3.connect(pathlib.Path(place) / "project_database.sqlite")
        links = database.execute(
            "select link_id, a_node, b_node, direction, distance, link_type, name, speed_ab, speed_ba, "
            "lanes_ab, lanes_ba, geometry from links where link_type <> 'centroid_connector' order by link_id"
        ).fetchall()
        used = {node for link in links for node in link[1:3]}
        nodes = database.execute("select node_id, geometry from nodes order by node_id").fetchall()
        database.close()
    places = ((node, coordinates(blob)[0]) for node, blob in nodes if node in used)
    write(
        folder,
        "node.csv",
        ["node_id", "x_coord", "y_coord"],
        [(node, number(x, 6), number(y, 6)) for node, (x, y) in places],
    )
    rows = []
    for link, a, b, direction, length_m, kind, name, speed_ab, speed_ba, lanes_ab, lanes_ba, blob in links:
        assert direction in (0, 1), f"link {link}: direction {direction}"
        # What one direction does not say holds as the other says it; half lanes are rounded down.
        speed = speed_ab or speed_ba
        lanes = lanes_ab or lanes_ba
        line = ",".join(f"{number(x, 6)} {number(y, 6)}" for x, y in coordinates(blob))
        rows.append(
            (
                link,
                a,
                b,
                int(direction == 1),
                number(length_m / 1000, 5),
                kind,
                number(speed, 1) if speed else "",
                max(1, int(lanes)) if lanes else "",
                "auto" if kind == "motorway" else "all",
                (name or "").strip(),
                f"LINESTRING({line})",
            )
        )
    header = ["link_id", "from_node_id", "to_node_id", "directed", "length", "facility_type", "free_speed", "lanes"]
    write(folder, "link.csv", [*header, "allowed_uses", "name", "geometry"], rows)
    config = "dataset_name,long_length,speed,crs,geometry_field_format\ncoquimbo,km,kmh,EPSG:4326,wkt\n"
    (folder / "config.csv").write_text(config)
    print(f"{len(rows)} links, {len(used)} nodes")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
