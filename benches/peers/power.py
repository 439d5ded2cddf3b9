#!/usr/bin/env python3
"""Solves the same grids with Urbis, lightsim2grid, pandapower and power-grid-model, one after the other on one thread,
and prints a Markdown table with ratios. README.md beside this file says what is compared.

The peers are installed into a virtual environment of their own (target/power-venv)."""

import argparse
import json
import math
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ["pandapower==3.5.6", "numba==0.68.1", "lightsim2grid==1.2.0", "power-grid-model==1.12.110"]


def in_its_environment(arguments):
    """Starts this script again with the Python that has the peers, on one thread."""
    folder = Path(arguments.venv)
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"installing {', '.join(PACKAGES)} into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "-q", "install", *PACKAGES], check=True)
    names = ["OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON"]
    env = dict(os.environ, URBIS_PEERS="1", **{f"{name}_NUM_THREADS": "1" for name in names})
    os.execve(python, [str(python), __file__, *sys.argv[1:]], env)


def median_s(work, repeat):
    """Median time of a call, seconds, and what the last one gave."""
    times, gave = [], None
    for _ in range(repeat):
        start = time.perf_counter()
        gave = work()
        times.append(time.perf_counter() - start)
    return sorted(times)[repeat // 2], gave


def write_case(net, path):
    """The very matrices that pandapower solves, as a MATPOWER case; iron losses become shunts of their buses."""
    import numpy as np
    ppc = net._ppc
    bus, gen, branch = ppc["bus"].real.copy(), ppc["gen"].real.copy(), ppc["branch"]
    y_iron = np.zeros(len(bus))
    if branch.shape[1] > 23:
        for row in branch[branch[:, 10].real == 1]:
            half = row[23].real / 2
            ratio = row[8].real or 1.0
            y_iron[int(row[0].real)] += half / ratio**2
            y_iron[int(row[1].real)] += half
    bus[:, 4] += y_iron * ppc["baseMVA"]
    lines = ["function mpc = case", "mpc.version = '2';", f"mpc.baseMVA = {ppc['baseMVA']!r};", "mpc.bus = ["]
    number = lambda value: repr(float(value))
    lines += [" ".join([str(int(row[0]) + 1), str(int(row[1])), *map(number, row[2:13])]) + ";" for row in bus]
    lines += ["];", "mpc.gen = ["]
    finite = lambda value: number(value if math.isfinite(value) else 9999.0)
    lines += [" ".join([str(int(row[0]) + 1), *map(finite, row[1:10])]) + ";" for row in gen]
    lines += ["];", "mpc.branch = ["]
    for row in branch.real:
        lines.append(" ".join([str(int(row[0]) + 1), str(int(row[1]) + 1), *map(number, row[2:13])]) + ";")
    path.write_text("\n".join(lines + ["];", ""]))


def urbis(program, case, *more):
    """What Urbis' bench tells of a case."""
    said = subprocess.run([program, case, *map(str, more)], check=True, text=True, capture_output=True)
    return json.loads(said.stdout)


def newton(arguments, rows):
    """One state of a transmission grid by Newton's method."""
    import numpy as np
    import pandapower as pp
    import pandapower.networks
    from lightsim2grid.gridmodel import init_from_pandapower
    net = getattr(pandapower.networks, arguments.network)()
    run = lambda: pp.runpp(net, algorithm="nr", init="flat", numba=True, tolerance_mva=1e-6, lightsim2grid=False,
                           calculate_voltage_angles=True, trafo_model="t", max_iteration=30)
    run()
    pandapower_s, _ = median_s(run, max(3, arguments.repeat // 4))
    lowest = float(np.nanmin(net.res_bus.vm_pu))
    rows.append([arguments.network, "pandapower, numba (whole call)", pandapower_s, f"{lowest:.9f}"])
    case = Path(arguments.work) / f"{arguments.network}.m"
    write_case(net, case)
    model = init_from_pandapower(net)
    flat = np.full(len(net.bus), model.get_init_vm_pu(), dtype=complex)

    def solve():
        model.tell_solver_need_reset()
        return model.ac_pf(flat, 30, 1e-8)

    lightsim_s, volts = median_s(solve, arguments.repeat)
    again_s, _ = median_s(lambda: model.ac_pf(flat, 30, 1e-8), arguments.repeat)
    if len(volts):
        found = f"{np.abs(volts[np.abs(volts) > 0]).min():.9f}"
        rows.append([arguments.network, "lightsim2grid, analysed anew", lightsim_s, found])
        rows.append([arguments.network, "lightsim2grid, analysis kept", again_s, found])
    told = urbis(arguments.program, case, "--repeat", arguments.repeat)["solve"]["flat"]
    if not told["converged"]:
        sys.exit(f"Urbis does not solve {arguments.network}: {told}")
    rows.append([arguments.network, "Urbis", told["median_s"], f"{told['vm_min_pu']:.9f}"])


def factors(steps, loads):
    """The factor of every load at every step; the same as in Urbis' bench."""
    import numpy as np
    step, load = np.arange(steps)[:, None], np.arange(loads)[None, :]
    hour = step + 0.37 * (load % 7)
    return 0.6 + 0.4 * np.sin(2 * np.pi * hour / 24) * np.cos(2 * np.pi * step / 8760)


def series(arguments, folder, steps, rows):
    """A year of a distribution grid: power-grid-model's methods, and Urbis."""
    import gzip
    import numpy as np
    from power_grid_model import CalculationMethod, DatasetType, PowerGridModel, initialize_array
    from power_grid_model.utils import json_deserialize
    data = json_deserialize(gzip.open(folder / "pgm_input.json.gz").read())
    grid, loads = PowerGridModel(data), data["sym_load"]
    factor = factors(steps, len(loads))
    update = initialize_array(DatasetType.update, "sym_load", (steps, len(loads)))
    update["id"] = loads["id"][None, :]
    update["p_specified"] = loads["p_specified"][None, :] * factor
    update["q_specified"] = loads["q_specified"][None, :] * factor
    name = folder.name
    for label in ["newton_raphson", "iterative_current", "linear"]:
        start = time.perf_counter()
        found = grid.calculate_power_flow(update_data={"sym_load": update}, threading=-1, output_component_types=["node"],
                                          calculation_method=CalculationMethod[label], error_tolerance=1e-8)
        taken = time.perf_counter() - start
        lowest = float(np.nanmin(np.where(found["node"]["energized"] == 1, found["node"]["u_pu"], np.nan)))
        rows.append([f"{name}, {steps} steps", f"power-grid-model, {label}", taken, f"{lowest:.6f}"])
    case = folder / ("pgm_input.json.gz" if arguments.pgm else f"{name}.m")
    for threads in [1, 2]:
        told = urbis(arguments.program, case, "--repeat", 1, "--steps", steps, "--threads", threads)["series"]
        if told["not_converged"]:
            sys.exit(f"Urbis does not solve {told['not_converged']} steps of {name}")
        label = "Urbis" if threads == 1 else f"Urbis, {threads} threads"
        rows.append([f"{name}, {steps} steps", label, told["s"], f"{told['vm_min_pu']:.6f}"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = os.environ.get("URBIS_SHARED", ROOT.parent / "shared")
    parser.add_argument("--program", default=ROOT / "target/release/power-flow", type=Path)
    parser.add_argument("--grids", default=Path(shared) / "reference/utility/power", type=Path,
                        help="folder of mv_oberrhein and lv_schutterwald")
    parser.add_argument("--network", default="case9241pegase", help="network of pandapower")
    parser.add_argument("--steps", default=8760, type=int)
    parser.add_argument("--repeat", default=20, type=int)
    parser.add_argument("--only", choices=["newton", "series"])
    parser.add_argument("--pgm", action="store_true", help="Urbis reads power-grid-model's own input as well")
    parser.add_argument("--venv", default=ROOT / "target/power-venv")
    parser.add_argument("--work", default=ROOT / "target/tmp")
    arguments = parser.parse_args()
    if "URBIS_PEERS" not in os.environ:
        in_its_environment(arguments)
    Path(arguments.work).mkdir(parents=True, exist_ok=True)
    rows = []
    if arguments.only != "series":
        newton(arguments, rows)
    if arguments.only != "newton":
        for name in ["mv_oberrhein", "lv_schutterwald"]:
            series(arguments, arguments.grids / name, arguments.steps, rows)
    own = {grid: taken for grid, tool, taken, _ in rows if tool == "Urbis"}
    print("| grid | tool | ms | ratio to Urbis | lowest voltage, pu |\n| --- | --- | ---: | ---: | ---: |")
    for grid, tool, taken, lowest in rows:
        print(f"| {grid} | {tool} | {1000 * taken:.3f} | {taken / own[grid]:.2f} | {lowest} |")


if __name__ == "__main__":
    main()
