#!/usr/bin/env python3
"""Solves the same networks of gas and heat with Urbis and pandapipes, one after the other on one thread, and prints a
Markdown table with ratios; then a year of district heating and a day of a town with three networks, with Urbis alone.
README.md beside this file says what is compared.

pandapipes is installed into a virtual environment of its own (target/pipes-venv)."""

import argparse
import json
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ["pandapipes==0.16.0", "pandapower==3.3.3", "numba"]
GAS = ["schutterwald_gas", "gas_ring8", "gas_meshed_square", "gas_meshed_delta"]
HEAT = ["schutterwald_heat", "dh_supply_return"]


def in_its_environment(arguments):
    """Starts this script again with the Python that has the peer, on one thread."""
    python = Path(arguments.venv) / "bin" / "python"
    if not python.exists():
        print(f"installing {', '.join(PACKAGES)} into {arguments.venv}", file=sys.stderr)
        venv.create(arguments.venv, with_pip=True)
        subprocess.run([python, "-m", "pip", "-q", "install", *PACKAGES], check=True)
    names = ["OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON"]
    env = dict(os.environ, URBIS_PEERS="1", **{f"{name}_NUM_THREADS": "1" for name in names})
    os.execve(python, [str(python), __file__, *sys.argv[1:]], env)


def factor(nth):
    """Factor of demands at a solve; the same as in Urbis' bench."""
    return 0.7 + 0.1 * (nth % 4)


def pandapipes_s(folder, mode, repeat):
    """Least processor time of `pipeflow`, seconds, what it finds, and the fastest of its ways."""
    import gzip
    import logging
    import pandapipes
    logging.disable(logging.CRITICAL)
    text = gzip.open(folder / "net.json.gz", "rt").read()
    found = {}
    ways = {"numba": {}, "numba, data kept": {"reuse_internal_data": True},
            "numba, matrix kept": {"only_update_hydraulic_matrix": True, "reuse_internal_data": True}}
    for name, more in ways.items():
        net = pandapipes.from_json_string(text)
        demands = {(table, column): net[table][column].copy() for table, column in
                   [("sink", "mdot_kg_per_s"), ("source", "mdot_kg_per_s"), ("heat_consumer", "controlled_mdot_kg_per_s"),
                    ("heat_consumer", "qext_w")] if table in net and column in net[table]}
        options = dict(mode=mode, use_numba=True, tol_p=1e-8, tol_m=1e-8, tol_T=1e-6, iter=200, **more)
        try:
            pandapipes.pipeflow(net, **options)  # compiles
            times = []
            for nth in range(repeat):
                for (table, column), values in demands.items():
                    net[table][column] = values * factor(nth)
                start = time.process_time()
                pandapipes.pipeflow(net, **options)
                times.append(time.process_time() - start)
            if mode == "hydraulics":
                end = float(net.res_junction.p_bar.min())
            else:
                end = float(net.res_junction.t_k.mean())
            found[name] = (min(times), end)
        except Exception as why:  # a way that this network does not go
            print(f"{folder.name}, {name}: {type(why).__name__}: {why}", file=sys.stderr)
    name = min(found, key=lambda name: found[name][0])
    return (*found[name], name)


def urbis(program, *more):
    """What Urbis' bench tells."""
    said = subprocess.run([program, *map(str, more)], check=True, text=True, capture_output=True)
    return json.loads(said.stdout)


DAY = [0.55, 0.5, 0.5, 0.5, 0.55, 0.7, 0.95, 1.1, 1.05, 1.0, 0.95, 0.95, 1.0, 0.95, 0.9, 0.9, 0.95, 1.1, 1.2, 1.2, 1.1,
       0.95, 0.8, 0.65]


def town(shared, work, is_changing):
    """Schutterwald's electricity, gas and heat over a day, without electricity from 6 to 12."""
    profile = 'profile = "day.csv"' if is_changing else ""
    rows = []
    for step in range(96):
        hour, quarter = divmod(step, 4)
        share = quarter / 4
        rows.append(f"{900 * step},{DAY[hour] * (1 - share) + DAY[(hour + 1) % 24] * share:.6f}")
    (work / "day.csv").write_text("\n".join(["time_s,multiplier", *rows, ""]))
    net = lambda name: json.dumps(str(shared / name / "net.json.gz"))
    text = f"""name = "schutterwald"
[power]
net = {net("power/lv_schutterwald")}
{profile}
[gas]
net = {net("gas_heat/schutterwald_gas")}
{profile}
[heat]
net = {net("gas_heat/schutterwald_heat")}
{profile}
[links]
file = {json.dumps(str(shared / "town_schutterwald/building_links.csv"))}
[[failure]]
network = "power"
element = "source *"
from = "06:00"
to = "12:00"
"""
    path = work / ("town-changing.toml" if is_changing else "town-constant.toml")
    path.write_text(text)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / "target/release/pipes", type=Path)
    shared = Path(os.environ.get("URBIS_SHARED", ROOT.parent / "shared"))
    parser.add_argument("--shared", default=shared / "reference/utility", type=Path, help="folder of the networks")
    parser.add_argument("--repeat", default=21, type=int, help="the least processor time of the peer counts, the median of Urbis")
    parser.add_argument("--venv", default=ROOT / "target/pipes-venv")
    parser.add_argument("--work", default=ROOT / "target/tmp/pipes", type=Path)
    arguments = parser.parse_args()
    if not arguments.program.exists():
        sys.exit(f"no {arguments.program}: cargo build --release -p urbis-benches --bin pipes")
    if "URBIS_PEERS" not in os.environ:
        in_its_environment(arguments)
    arguments.work.mkdir(parents=True, exist_ok=True)
    repeat = ["--repeat", arguments.repeat]
    print("| network | nodes | pandapipes, ms | its way | Urbis, ms | ratio | apart |")
    print("| --- | ---: | ---: | --- | ---: | ---: | ---: |")
    for name in GAS + HEAT:
        folder = arguments.shared / "gas_heat" / name
        if name in GAS:
            mode, end, told = "hydraulics", "p_min_bar", urbis(arguments.program, "gas", folder / "net.json.gz", *repeat)
        else:
            mode, end = json.loads((folder / "summary.json").read_text())["mode"], "t_mean_k"
            more = ["--sequential"] if mode == "sequential" else []
            told = urbis(arguments.program, "heat", folder / "net.json.gz", *more, *repeat)
        if not told["converged"]:
            sys.exit(f"Urbis does not solve {name}: {told}")
        theirs_s, theirs, way = pandapipes_s(folder, mode, arguments.repeat)
        print(f"| {name} ({mode}) | {told['nodes']} | {1e3 * theirs_s:.2f} | {way} | {1e3 * told['solve_s']:.3f} "
              f"| {theirs_s / told['solve_s']:.1f} | {abs(theirs - told[end]):.1e} |")
    told = urbis(arguments.program, "year", arguments.shared / "gas_heat/schutterwald_heat/net.json.gz")
    print(f"\nA year of schutterwald_heat: {told['steps']} steps, {told['consumers']} consumers, {told['s']:.2f} s, "
          f"{told['unsolved']} not solved, ledger lacks {told['gap']:.1e}")
    for is_changing in [True, False]:
        path = town(arguments.shared, arguments.work, is_changing)
        told = urbis(arguments.program, "town", path, "--repeat", 5)
        solves = ", ".join(f"{name} {of['solves']} solves" for name, of in told["networks"].items())
        what = "demands change every step" if is_changing else "demands as in the files"
        print(f"A day of Schutterwald, {what}: {told['steps']} steps, {told['day_s']:.3f} s ({solves})")


if __name__ == "__main__":
    main()
