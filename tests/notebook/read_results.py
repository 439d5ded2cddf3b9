"""Opens a results folder in one line with each of four readers and checks what they see.

Usage: read_results.py RESULTS EXPECTED.json. The expectation is written by the test that wrote the
results; this script knows nothing of Urbis. Ends with status 1 and a message at the first difference.
"""

import json
import sys

import duckdb
import geopandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq

results, expected_path = sys.argv[1:]
with open(expected_path, encoding="utf-8") as file:
    expected = json.load(file)


def check(found, wanted, what):
    same = abs(found - wanted) <= 1e-9 * max(1.0, abs(wanted)) if isinstance(wanted, float) else found == wanted
    if not same:
        sys.exit(f"{what}: found {found!r}, expected {wanted!r}")


for name, table in expected["tables"].items():
    # pyarrow: the folder of a table is one table; scenario and seed come from the path.
    whole = pq.read_table(f"{results}/{name}")
    check(whole.num_rows, table["rows"], f"pyarrow {name} rows")
    columns = [column["name"] for column in table["columns"]]
    check(whole.column_names, columns + ["scenario", "seed"], f"pyarrow {name} columns")
    check(sorted(set(whole["scenario"].to_pylist())), expected["scenarios"], f"pyarrow {name} scenarios")
    check(sorted(set(whole["seed"].to_pylist())), expected["seeds"], f"pyarrow {name} seeds")
    for column in table["columns"]:
        field = whole.schema.field(column["name"])
        what = f"pyarrow {name}.{field.name}"
        check(field.metadata[b"unit"].decode(), column["unit"], f"{what} unit")
        check(field.metadata[b"description"].decode(), column["description"], f"{what} description")
        check(field.nullable, column["nullable"], f"{what} nullable")
        if column["time"]:
            check(field.type, pa.timestamp("ms", tz="UTC"), f"{what} type")
    for path, footer in table["footers"].items():
        metadata = pq.read_metadata(f"{results}/{path}")
        for key, value in footer.items():
            check(metadata.metadata[key.encode()].decode(), value, f"{path} footer {key}")
        check(metadata.row_group(0).column(0).compression, "ZSTD", f"{path} compression")

    # polars
    frame = polars.read_parquet(f"{results}/{name}", hive_partitioning=True)
    check(frame.height, table["rows"], f"polars {name} rows")
    check(sorted(frame["scenario"].unique().to_list()), expected["scenarios"], f"polars {name} scenarios")
    check(sorted(frame["seed"].unique().to_list()), expected["seeds"], f"polars {name} seeds")

    # DuckDB
    relation = duckdb.sql(f"from read_parquet('{results}/{name}/**/*.parquet', hive_partitioning = true)")
    types = dict(zip(relation.columns, map(str, relation.types)))
    check(relation.aggregate("count(*)").fetchall()[0][0], table["rows"], f"DuckDB {name} rows")
    scenarios = relation.aggregate("list(distinct scenario)").fetchall()[0][0]
    check(sorted(scenarios), expected["scenarios"], f"DuckDB {name} scenarios")

    for column in table["columns"]:
        key, values = column["name"], column["values"]
        if column["time"]:
            check(frame.schema[key], polars.Datetime("ms", "UTC"), f"polars {name}.{key} type")
            check(types[key], "TIMESTAMP WITH TIME ZONE", f"DuckDB {name}.{key} type")
            earliest = values["min_ms"]
            moments = whole[key].cast(pa.int64()).drop_null().to_pylist()
            check(min(moments, default=None), earliest, f"pyarrow {name}.{key}")
            check(frame[key].dt.epoch("ms").min(), earliest, f"polars {name}.{key}")
            check(relation.aggregate(f'epoch_ms(min("{key}"))').fetchall()[0][0], earliest, f"DuckDB {name}.{key}")
        check(whole[key].null_count, values["nulls"], f"pyarrow {name}.{key} nulls")
        check(frame[key].null_count(), values["nulls"], f"polars {name}.{key} nulls")
        if "sum" in values:
            by_duckdb = relation.aggregate(f'coalesce(sum("{key}"), 0)').fetchall()[0][0]
            check(float(sum(whole[key].drop_null().to_pylist())), values["sum"], f"pyarrow {name}.{key}")
            check(float(frame[key].sum()), values["sum"], f"polars {name}.{key}")
            check(float(by_duckdb), values["sum"], f"DuckDB {name}.{key}")

for name, layer in expected["layers"].items():
    frame = geopandas.read_parquet(f"{results}/layers/{name}.parquet")
    check(len(frame), layer["rows"], f"geopandas {name} rows")
    check(frame.crs.to_string(), "OGC:CRS84", f"geopandas {name} reference system")
    check(sorted(set(frame.geom_type)), layer["geometry_types"], f"geopandas {name} types")
    check(bool(frame.geometry.is_valid.all()), True, f"geopandas {name} valid")
    west, south, east, north = frame.total_bounds
    inside = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    check(inside, True, f"geopandas {name} in degrees")
    units = pq.read_schema(f"{results}/layers/{name}.parquet")
    for column, unit in layer["units"].items():
        check(units.field(column).metadata[b"unit"].decode(), unit, f"{name}.{column} unit")

# Ids join results and layers.
links = geopandas.read_parquet(f"{results}/layers/links.parquet")
state = pq.read_table(f"{results}/link_state", columns=["link_id"]).to_pandas()
joined = state.merge(links, left_on="link_id", right_on="id", how="inner")
check(len(joined), len(state), "links joined to link_state")

print(f"read {len(expected['tables'])} tables and {len(expected['layers'])} layers with pyarrow {pa.__version__}, "
      f"polars {polars.__version__}, DuckDB {duckdb.__version__}, geopandas {geopandas.__version__}")
