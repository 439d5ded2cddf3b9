#!/usr/bin/env python3
"""Solves the same water networks over a day with Urbis and EPANET 2.2 (the library inside wntr), one after the other on one
thread, and prints a Markdown table with ratios. README.md beside this file says what is compared.

wntr is installed into a virtual environment of its own (target/water-venv)."""

import argparse
import json
import os
import random
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ["wntr==1.5.0", "six==1.17.0", "setuptools==80.9.0"]


def in_its_environment(arguments):
    """Starts this script again with the Python that has the peer."""
    folder = Path(arguments.venv)
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"installing {', '.join(PACKAGES)} into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "-q", "install", *PACKAGES], check=True)
    os.execve(python, [str(python), __file__, *sys.argv[1:]], dict(os.environ, URBIS_PEERS="1"))


def shipped(name, folder):
    """A network that wntr ships, over 24 hours at full accuracy."""
    import wntr
    source = Path(wntr.__file__).parent / "library" / "networks" / f"{name}.inp"
    network = wntr.network.WaterNetworkModel(str(source))
    network.options.time.duration = 24 * 3600
    network.options.time.hydraulic_timestep = network.options.time.report_timestep = 3600
    network.options.quality.parameter = "NONE"
    return written(network, folder / f"{name}.inp")


def grid(size, folder):
    """A made-up town: streets on a square grid, mains every fourteenth, a pump, three tanks."""
    import wntr
    draw = random.Random(1)
    network = wntr.network.WaterNetworkModel()
    network.add_pattern("1", [0.5 + 0.5 * abs((hour % 24) / 12 - 1) for hour in range(24)])
    streets = range(size)
    for i in streets:
        for j in streets:
            network.add_junction(f"J{i}_{j}", base_demand=draw.uniform(0, 1.2e-4), elevation=draw.uniform(0, 25),
                                 demand_pattern="1")
    for i in streets:
        for j in streets:
            diameter = 0.4 if i % 14 == 0 or j % 14 == 0 else draw.choice([0.1, 0.15, 0.15])
            pipe = {"length": draw.uniform(60, 120), "diameter": diameter, "roughness": 120}
            if i + 1 < size and (j == 0 or draw.random() < 0.62):
                network.add_pipe(f"V{i}_{j}", f"J{i}_{j}", f"J{i + 1}_{j}", **pipe)
            if j + 1 < size:
                network.add_pipe(f"H{i}_{j}", f"J{i}_{j}", f"J{i}_{j + 1}", **pipe)
    network.add_reservoir("R", base_head=20)
    network.add_junction("P", elevation=0)
    network.add_curve("lift", "HEAD", [(0.9, 75)])
    network.add_pump("pump", "R", "P", pump_type="HEAD", pump_parameter="lift")
    network.add_pipe("main", "P", "J0_0", length=100, diameter=1.2, roughness=120)
    for at, (i, j) in enumerate([(size - 1, size - 1), (0, size - 1), (size // 2, size // 2)]):
        network.add_tank(f"T{at}", elevation=60, init_level=4, min_level=0, max_level=8, diameter=30)
        network.add_pipe(f"to{at}", f"T{at}", f"J{i}_{j}", length=50, diameter=0.8, roughness=120)
    network.options.time.duration = 24 * 3600
    return written(network, folder / f"grid_{size}.inp")


def written(network, path):
    import wntr
    hydraulic = network.options.hydraulic
    hydraulic.accuracy, hydraulic.trials = 1e-6, 200
    hydraulic.unbalanced, hydraulic.unbalanced_value = "CONTINUE", 10
    wntr.network.write_inpfile(network, str(path), units="LPS")
    return path


def epanet_s(path, repeat, work):
    """Fastest ENsolveH, seconds: reading is left out."""
    from wntr.epanet.toolkit import ENepanet
    fastest = float("inf")
    for _ in range(repeat):
        library = ENepanet()
        library.ENopen(str(path), str(work / "report.rpt"), str(work / "binary.bin"))
        start = time.perf_counter()
        library.ENsolveH()
        fastest = min(fastest, time.perf_counter() - start)
        library.ENclose()
    return fastest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / "target/release/examples/water-day", type=Path)
    parser.add_argument("--networks", nargs="*", default=["Net3", "ky4", "ky10", "Net6"], help="networks of wntr")
    parser.add_argument("--size", default=112, type=int, help="streets of the made-up town each way; 0 for none")
    parser.add_argument("--repeat", default=7, type=int, help="the fastest run counts, of both")
    parser.add_argument("--venv", default=ROOT / "target/water-venv")
    parser.add_argument("--work", default=ROOT / "target/tmp/water", type=Path)
    arguments = parser.parse_args()
    if not arguments.program.exists():
        sys.exit(f"no {arguments.program}: cargo build --release -p urbis-utility --example water-day")
    if "URBIS_PEERS" not in os.environ:
        in_its_environment(arguments)
    arguments.work.mkdir(parents=True, exist_ok=True)
    cases = [shipped(name, arguments.work) for name in arguments.networks]
    cases += [grid(arguments.size, arguments.work)] if arguments.size else []
    print("| network | nodes | moments | EPANET 2.2, ms | Urbis, ms | ratio | not settled |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for path in cases:
        said = subprocess.run([arguments.program, path, str(arguments.repeat)], check=True, text=True, capture_output=True)
        told = json.loads(said.stdout)
        theirs_s, ours_s = epanet_s(path, arguments.repeat, arguments.work), told["solve_s"]
        print(f"| {path.stem} | {told['nodes']} | {told['solves']} | {1e3 * theirs_s:.2f} | {1e3 * ours_s:.2f} "
              f"| {theirs_s / ours_s:.2f} | {told['unbalanced']} |")


if __name__ == "__main__":
    main()
