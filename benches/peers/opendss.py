#!/usr/bin/env python3
"""Runs Urbis and OpenDSS on the IEEE's European low-voltage feeder (907 buses, 55 loads on single phases) while every
load changes each tick, and prints a Markdown table with ratios. README.md beside this file says what is compared.

Nothing beyond the standard library is needed; OpenDSS is installed into a virtual environment of its own."""

import argparse
import csv
import gzip
import json
import math
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "engine/utility/tests/data/ieee_eulv"
PACKAGES = ["opendssdirect.py==0.9.4", "dss-python==0.15.7", "dss_python_backend==0.14.5"]
TOLERANCES = [1e-4, 1e-6, 1e-8, 1e-10]
HEADER = ["tool", "tolerance", "iterations", "us a solve", "off its end, pu", "ratio to Urbis at 1e-10"]


def read_table(path):
    if not path.exists():
        with gzip.open(path.with_name(path.name + ".gz"), "rt", newline="") as file:
            return list(csv.DictReader(file))
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def scale(tick, load):
    """As in the example `three-phase-series`."""
    return 0.6 + 0.04 * ((7 * tick + 13 * load) % 11)


def build(dss):
    """The feeder in OpenDSS. Rows of `in_asymmetric_load` have one phase each. Returns their power, kW and kvar."""
    source = read_table(DATA / "in_ext_grid.csv")[0]
    transformer = read_table(DATA / "on_peak_566/in_trafo.csv")[0]
    # Urbis and pandapower count with c_max = 1.1.
    s_mva = float(source["s_sc_max_mva"]) / 1.1
    rx, x0x, r0x0 = (float(source[key]) for key in ["rx_max", "x0x_max", "r0x0_max"])
    x = float(transformer["vn_hv_kv"]) ** 2 / s_mva / math.hypot(rx, 1)
    vk, vkr = float(transformer["vk_percent"]), float(transformer["vkr_percent"])
    reactance = math.sqrt(vk * vk - vkr * vkr)
    for command in [
        "clear",
        "set defaultbasefrequency=50",
        f"new circuit.feeder bus1=b0 basekv={transformer['vn_hv_kv']} pu={source['vm_pu']} phases=3 "
        f"r1={rx * x} x1={x} r0={r0x0 * x0x * x} x0={x0x * x}",
        f"new transformer.t phases=3 windings=2 buses=[b0 b1] conns=[delta wye] leadlag=lag "
        f"kvs=[{transformer['vn_hv_kv']} {transformer['vn_lv_kv']}] "
        f"kvas=[{1e3 * float(transformer['sn_mva'])} {1e3 * float(transformer['sn_mva'])}] "
        f"xhl={reactance} %rs=[{vkr / 2} {vkr / 2}]",
    ]:
        dss.Text.Command(command)
    for row, line in enumerate(read_table(DATA / "in_line.csv")):
        dss.Text.Command(
            f"new line.l{row} bus1=b{line['from_bus']} bus2=b{line['to_bus']} phases=3 units=km "
            f"length={line['length_km']} r1={line['r_ohm_per_km']} x1={line['x_ohm_per_km']} c1=0 "
            f"r0={line['r0_ohm_per_km']} x0={line['x0_ohm_per_km']} c0=0")
    powers = []
    for row, load in enumerate(read_table(DATA / "on_peak_566/in_asymmetric_load.csv")):
        phases = [(float(load[f"p_{phase}_mw"]), float(load[f"q_{phase}_mvar"])) for phase in "abc"]
        number = next(number for number, power in enumerate(phases) if power != (0.0, 0.0))
        kw, kvar = (1e3 * float(load["scaling"]) * part for part in phases[number])
        powers.append((kw, kvar))
        dss.Text.Command(
            f"new load.d{row} bus1=b{load['bus']}.{number + 1} phases=1 model=1 vminpu=0.5 vmaxpu=1.5 "
            f"kv={float(transformer['vn_lv_kv']) / math.sqrt(3)} kw={kw} kvar={kvar}")
    dss.Text.Command(f"set voltagebases=[{transformer['vn_hv_kv']} {transformer['vn_lv_kv']}]")
    dss.Text.Command("calcvoltagebases")
    dss.Text.Command("set maxiterations=100 controlmode=off")
    return powers


def inside(ticks):
    """What the process with OpenDSS does: a line of JSON with its figures and magnitudes."""
    import opendssdirect as dss

    powers = build(dss)

    def set_loads(tick):
        for row, (kw, kvar) in enumerate(powers):
            dss.Loads.Idx(row + 1)
            dss.Loads.kW(kw * scale(tick, row))
            dss.Loads.kvar(kvar * scale(tick, row))

    def magnitudes():
        return dict(zip(dss.Circuit.AllNodeNames(), dss.Circuit.AllBusMagPu()))

    rows, end = [], None
    for tolerance in [1e-12, *TOLERANCES]:
        dss.Text.Command(f"set tolerance={tolerance}")
        set_loads(ticks)
        dss.Solution.Solve()
        spent_s, iterations = 0.0, 0
        for tick in range(ticks):
            set_loads(tick)
            start = time.perf_counter()
            dss.Solution.Solve()
            spent_s += time.perf_counter() - start
            iterations += dss.Solution.Iterations()
            if not dss.Solution.Converged():
                raise SystemExit(f"tick {tick} does not converge at {tolerance}")
        if end is None:
            end = magnitudes()
            continue
        off = max(abs(value - end[node]) for node, value in magnitudes().items())
        rows.append([tolerance, iterations / ticks, 1e6 * spent_s / ticks, off])
    print(json.dumps({"version": dss.Basic.Version(), "rows": rows, "end": end}))


def python_with_peer(folder):
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=2000)
    parser.add_argument("--repeat", type=int, default=3, help="the fastest run counts, of both")
    parser.add_argument("--venv", type=Path, default=ROOT / "target/opendss-venv")
    parser.add_argument("--out", type=Path, default=ROOT / "out/opendss")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        return inside(args.ticks)
    program = ROOT / "target/release/examples/three-phase-series"
    if not program.exists():
        sys.exit(f"no {program}: cargo build --release -p urbis-utility --example three-phase-series")
    args.out.mkdir(parents=True, exist_ok=True)
    python = python_with_peer(args.venv)
    voltages = args.out / "voltages.csv"
    urbis, peer = {}, {}
    for _ in range(args.repeat):
        done = subprocess.run([program, str(args.ticks), voltages], check=True, text=True, capture_output=True)
        for line in done.stdout.splitlines():
            tolerance, us, iterations, off = (float(word) for word in line.split())
            urbis[tolerance] = min(urbis.get(tolerance, (us, iterations, off)), (us, iterations, off))
        done = subprocess.run([python, __file__, "--inside", "--ticks", str(args.ticks)], check=True, text=True,
                              capture_output=True)
        said = json.loads(done.stdout.splitlines()[-1])
        for tolerance, iterations, us, off in said["rows"]:
            peer[tolerance] = min(peer.get(tolerance, (us, iterations, off)), (us, iterations, off))
    base_us = urbis[1e-10][0]
    lines = ["| " + " | ".join(HEADER) + " |", "| --- " * len(HEADER) + "|"]
    for tool, rows in [("Urbis", urbis), ("OpenDSS", peer)]:
        for tolerance, (us, iterations, off) in sorted(rows.items(), reverse=True):
            cells = [tool, f"{tolerance:.0e}", f"{iterations:.1f}", f"{us:.1f}", f"{off:.1e}", f"{us / base_us:.1f}"]
            lines.append("| " + " | ".join(cells) + " |")
    own = {row["bus_id"]: row for row in read_table(voltages)}
    apart = max(abs(value - float(own[node.split(".")[0][1:]][f"vm_{'abc'[int(node[-1]) - 1]}_pu"]))
                for node, value in said["end"].items())
    lines += ["", f"{said['version'].split(' revision ')[0]}. Converged magnitudes of the two are {apart:.1e} pu apart at most."]
    text = "\n".join(lines) + "\n"
    (args.out / "opendss.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
