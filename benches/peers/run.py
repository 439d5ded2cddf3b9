#!/usr/bin/env python3
"""Runs Urbis and the traffic simulators that PyPI has on the same grid and the same fixed routes, one after the
other on one thread, and prints a Markdown table with ratios. README.md beside this file says what is compared.

Nothing beyond the standard library is needed; the peers are installed into a virtual environment of their own."""

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import threading
import time
import venv
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from xml.sax.saxutils import quoteattr

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"sumo": "eclipse-sumo", "uxsim": "uxsim"}
TOOLS = ["urbis", "sumo", "sumo-ltm", "uxsim"]
HEADER = ["tool", "vehicles", "arrived", "mean travel time, s", "link crossings", "load, s", "simulate, s",
          "ns a crossing", "ratio to Urbis"]


class Failed(Exception):
    """A tool did not get through; the message goes below the table."""


def one_thread():
    """The environment in which programs compute on one thread where they can be told so."""
    names = ["OMP", "OPENBLAS", "MKL", "NUMBA", "NUMEXPR", "RAYON"]
    return dict(os.environ, **{f"{name}_NUM_THREADS": "1" for name in names})


def command(words, limit_s, **more):
    """Runs a program on one thread; its standard output."""
    words = [str(word) for word in words]
    try:
        done = subprocess.run(words, timeout=limit_s, env=one_thread(), text=True, capture_output=True, **more)
    except subprocess.TimeoutExpired:
        raise Failed(f"stopped after {limit_s:.0f} s") from None
    except OSError as why:
        raise Failed(f"{words[0]}: {why.strerror}") from None
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()
        raise Failed(f"{Path(words[0]).name} ended with {done.returncode}: {' / '.join(said[-3:])}")
    return done.stdout


def timed_lines(words, limit_s, log, look=None):
    """Runs a program and writes its output to a file; each line with the seconds since the start at which it came.
    `look` is called with the number of the process and each line as it comes."""
    lines = []
    start = time.perf_counter()
    try:
        program = subprocess.Popen([str(word) for word in words], text=True, env=one_thread(),
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as why:
        raise Failed(f"{words[0]}: {why.strerror}") from None
    stopped = threading.Event()

    def stop():
        stopped.set()
        program.kill()

    timer = threading.Timer(limit_s, stop)
    timer.start()
    try:
        for line in program.stdout:
            lines.append((time.perf_counter() - start, line))
            if look:
                look(program.pid, line)
        program.wait()
    finally:
        timer.cancel()
        program.stdout.close()
    log.write_text("".join(line for _, line in lines))
    if stopped.is_set():
        raise Failed(f"stopped after {limit_s:.0f} s")
    if program.returncode != 0:
        raise Failed(f"{Path(words[0]).name} ended with {program.returncode}, see {log}")
    return lines


# The case, from the files that Urbis reads.


def read_table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


class Case:
    """Network and trips in SI units; trips sorted by departure."""

    def __init__(self, folder, share=1.0, last_s=None):
        folder = Path(folder)
        config = read_table(folder / "network/config.csv")[0]
        if (config["long_length"], config["speed"]) != ("m", "mps"):
            raise Failed("the network is not in metres and metres a second")
        self.nodes = [(n["node_id"], float(n["x_coord"]), float(n["y_coord"]))
                      for n in read_table(folder / "network/node.csv")]
        self.links = [
            dict(id=l["link_id"], start=l["from_node_id"], end=l["to_node_id"], lanes=int(float(l["lanes"])),
                 length_m=float(l["length"]), speed_mps=float(l["free_speed"]),
                 capacity_vps=float(l["capacity"]) / 3600, jam_density_vpm=float(l["jam_density"]))
            for l in read_table(folder / "network/link.csv")]
        self.trips = [(t["trip_id"], float(t["depart_s"]), t["from_node"], t["to_node"], t["route"].split())
                      for t in read_table(folder / "trips.csv")]
        self.trips.sort(key=lambda trip: trip[1])
        # The first ones at the same flow: a thinner flow would be an easier case.
        self.trips = self.trips[:max(1, round(share * len(self.trips)))]

    def same_for_all(self, key):
        """A figure that the peers take once for all links."""
        values = {link[key] for link in self.links}
        if max(values) - min(values) > 1e-9 * max(values):
            raise Failed(f"links differ in {key}; this comparison needs one kind of link")
        return next(iter(values))

    def headway_in_queue_s(self):
        """Time from the start of one queued vehicle to the next: 1 / (jam density x backward wave), which with length
        and speed makes the triangular diagram of the network (Newell 1993)."""
        capacity, jam = self.same_for_all("capacity_vps"), self.same_for_all("jam_density_vpm")
        return 1.0 / capacity - 1.0 / (jam * self.same_for_all("speed_mps"))

    def crossings(self):
        return sum(len(trip[4]) for trip in self.trips)

    def end_s(self, free_s):
        return self.trips[-1][1] + free_s

    def write(self, folder):
        """The same trips for Urbis."""
        path = Path(folder) / "trips.csv"
        with open(path, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["trip_id", "depart_s", "from_node", "to_node", "route"])
            for trip_id, depart_s, start, end, route in self.trips:
                writer.writerow([trip_id, depart_s, start, end, " ".join(route)])
        return path


# Tools. Each gives vehicles arrived, mean travel time from the wish to leave to arrival, and wall times.


def run_urbis(case, options, folder):
    trips = options.case / "trips.parquet" if len(case.trips) == options.all_trips else case.write(folder)
    command([options.urbis, "traffic", "run", "--network", options.case / "network", "--trips", trips,
             "--out", folder, "--threads", 1, "--quiet"], options.limit)
    summary = json.loads((folder / "summary.json").read_text())
    return dict(arrived=summary["arrived"], mean_s=summary.get("mean_travel_time_s"),
                crossings=summary["crossings"], load_s=summary["load_s"], sim_s=summary["sim_s"])


def sumo_files(case, options, folder):
    program = options.programs / "netconvert"
    with open(folder / "grid.nod.xml", "w") as file:
        file.write("<nodes>\n")
        for node, x, y in case.nodes:
            file.write(f'<node id={quoteattr(node)} x="{x}" y="{y}" type="priority"/>\n')
        file.write("</nodes>\n")
    with open(folder / "grid.edg.xml", "w") as file:
        file.write("<edges>\n")
        for link in case.links:
            file.write(f'<edge id={quoteattr(link["id"])} from={quoteattr(link["start"])} to={quoteattr(link["end"])} '
                       f'numLanes="{link["lanes"]}" speed="{link["speed_mps"]}" length="{link["length_m"]}"/>\n')
        file.write("</edges>\n")
    net = folder / "grid.net.xml"
    command([program, "-n", folder / "grid.nod.xml", "-e", folder / "grid.edg.xml", "-o", net,
             "--no-turnarounds", "true", "--no-internal-links", "true"], options.limit)
    routes = folder / "grid.rou.xml"
    gap_m = 2.5
    with open(routes, "w") as file:
        length_m = 1.0 / case.same_for_all("jam_density_vpm") - gap_m
        file.write(f'<routes>\n<vType id="car" length="{length_m}" minGap="{gap_m}" tau="1" speedFactor="1" '
                   f'speedDev="0" maxSpeed="70"/>\n')
        for trip_id, depart_s, _, _, route in case.trips:
            file.write(f'<vehicle id={quoteattr(trip_id)} type="car" depart="{depart_s:.3f}" departSpeed="max">'
                       f'<route edges={quoteattr(" ".join(route))}/></vehicle>\n')
        file.write("</routes>\n")
    return net, routes


def run_sumo(case, options, folder, ltm=False):
    net, routes = sumo_files(case, options, folder)
    headway = f"{case.headway_in_queue_s():.4f}"
    statistics = folder / "statistics.xml"
    words = [options.programs / "sumo", "--mesosim", "-n", net, "-r", routes, "--route-steps", 0,
             "--time-to-teleport", -1, "--no-step-log", "--verbose", "--statistic-output", statistics,
             "--duration-log.statistics", "true", "--end", round(case.end_s(options.after))]
    for tau in ["tauff", "taufj", "taujf", "taujj"]:
        words += [f"--meso-{tau}", headway]
    if ltm:
        words.append("--meso-ltm")
    lines = timed_lines(words, options.limit, folder / "sumo.log")
    # The duration that SUMO states includes loading.
    starts = [at_s for at_s, line in lines if line.startswith("Simulation") and " started with time" in line]
    ends = [at_s for at_s, line in lines if line.startswith("Simulation ended at time")]
    if len(starts) != 1 or len(ends) != 1:
        raise Failed(f"does not say when it started and ended, see {folder / 'sumo.log'}")
    load_s, sim_s = starts[0], ends[0] - starts[0]
    root = ElementTree.parse(statistics).getroot()
    trips = root.find("vehicleTripStatistics")
    arrived = int(trips.get("count"))
    inserted = int(root.find("vehicles").get("inserted"))
    running = int(root.find("vehicles").get("running"))
    if arrived > inserted - running:
        raise Failed("counts of vehicles do not agree")
    teleports = int(root.find("teleports").get("total"))
    return dict(arrived=arrived, mean_s=float(trips.get("duration")) + float(trips.get("departDelay")),
                load_s=load_s, sim_s=sim_s, note=f"{teleports} teleports" if teleports else None)


def run_uxsim(case, options, folder):
    words = [options.python, Path(__file__).resolve(), "--inside-uxsim", options.case, "--out", folder,
             "--vehicles", len(case.trips), "--after", options.after]
    command(words, options.limit, cwd=folder)
    return json.loads((folder / "uxsim.json").read_text())


def inside_uxsim(options):
    """Runs in the virtual environment: the grid in UXsim, one vehicle a platoon."""
    import uxsim

    case = Case(options.inside_uxsim)
    case.trips = case.trips[:options.vehicles]
    start = time.perf_counter()
    # Vehicles move in steps of reaction time x platoon; this one gives the capacity and the backward wave.
    step_s = case.headway_in_queue_s()
    while (1.0 / step_s) * step_s < 1.0:
        step_s *= 1.0 + 1e-15  # otherwise a vehicle of flow x step is rounded to none
    form = dict(name="grid", deltan=1, reaction_time=step_s, tmax=case.end_s(options.after), print_mode=0, save_mode=0,
                show_mode=0, show_progress=0, random_seed=1, vehicle_logging_timestep_interval=0)
    engine = "C++"
    try:
        world = uxsim.World(cpp=True, **form)
    except (TypeError, ImportError):
        engine, world = "Python", uxsim.World(**form)
    for node, x, y in case.nodes:
        world.addNode(node, x, y)
    links = {}
    for link in case.links:
        links[link["id"]] = world.addLink(
            link["id"], link["start"], link["end"], length=link["length_m"], free_flow_speed=link["speed_mps"],
            jam_density=link["jam_density_vpm"], number_of_lanes=link["lanes"])
    vehicles = []
    for _, depart_s, origin, destination, route in case.trips:
        # In the middle of a step, for rounding cannot move it to another.
        at = (int(depart_s / step_s) + 0.5) * step_s
        vehicle = world.addVehicle(origin, destination, at)
        vehicle.enforce_route([links[link] for link in route])
        vehicles.append((vehicle, depart_s, at))
    world.finalize_scenario()
    loaded = time.perf_counter()
    # Till all have arrived: steps on an empty network would count against it.
    world.exec_simulation(until_t=case.end_s(0.0))
    while world.check_simulation_ongoing() and world.VEHICLES_LIVING:
        world.exec_simulation(duration_t2=200 * step_s)
    done = time.perf_counter()
    times = [vehicle.travel_time for vehicle, _, _ in vehicles if vehicle.state == "end"]
    note = f"version {uxsim.__version__}, {engine} engine, steps of {step_s:.3f} s"
    result = dict(arrived=len(times), mean_s=sum(times) / len(times) if times else None, load_s=loaded - start,
                  sim_s=done - loaded, note=note)
    (Path(options.out) / "uxsim.json").write_text(json.dumps(result))


# The session.


def install(options, wanted):
    """Installs the peers; which tools cannot be had, and why."""
    missing = {}
    try:
        if not options.python.exists():
            venv.create(options.venv, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as why:
        return {tool: f"no virtual environment: {why}" for tool in wanted if tool != "urbis"}
    for peer, package in PACKAGES.items():
        tools = [tool for tool in wanted if tool.split("-")[0] == peer]
        if not tools:
            continue
        try:
            command([options.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package],
                    options.install_limit)
        except Failed as why:
            missing.update({tool: f"{package} cannot be installed: {why}" for tool in tools})
    return missing


def versions(options):
    words = [options.python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"]
    try:
        listed = {one["name"].lower(): one["version"] for one in json.loads(command(words, options.install_limit))}
    except Failed:
        return ""
    return ", ".join(f"{name} {listed[name]}" for name in sorted(PACKAGES.values()) if name in listed)


def measure(tool, case, options, name):
    """A row as numbers: the run of median simulation time."""
    runs = []
    for _ in range(options.repeat):
        folder = options.out / name
        folder.mkdir(parents=True, exist_ok=True)
        run = {"urbis": run_urbis, "sumo": run_sumo, "uxsim": run_uxsim,
               "sumo-ltm": lambda *all: run_sumo(*all, ltm=True)}[tool]
        runs.append(run(case, options, folder))
    runs.sort(key=lambda run: run["sim_s"])
    row = runs[(len(runs) - 1) // 2]
    row["vehicles"] = len(case.trips)
    # Links left by those who arrived; the peers do not count them.
    if "crossings" not in row:
        share = row["arrived"] / len(case.trips)
        row["crossings"], row["about"] = round(case.crossings() * share), share < 1
    row["ns"] = row["sim_s"] * 1e9 / max(row["crossings"], 1)
    return row


def cells(label, row, own):
    mean = "-" if row["mean_s"] is None else f"{row['mean_s']:.1f}"
    ratio = "-" if own is None else f"{row['ns'] / own['ns']:.3g}"
    about = "about " if row.get("about") else ""
    return [label, f"{row['vehicles']:,}", f"{row['arrived']:,}", mean, f"{about}{row['crossings']:,}",
            f"{row['load_s']:.3f}", f"{row['sim_s']:.3f}", f"{row['ns']:,.1f}", ratio]


def scales(text):
    try:
        pairs = [part.split("=") for part in text.split(",") if part]
        found = {tool: float(share) for tool, share in pairs}
    except ValueError:
        raise argparse.ArgumentTypeError("expected for instance uxsim=0.25,sumo=0.5") from None
    for tool, share in found.items():
        if tool not in TOOLS[1:] or not 0 < share <= 1:
            known = ", ".join(TOOLS[1:])
            raise argparse.ArgumentTypeError(f"{tool}={share}: expected a peer of {known}, 0 < share <= 1")
    return found


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=11, help="nodes along a side of the grid (%(default)s)")
    parser.add_argument("--vehicles", type=int, default=60_000, help="vehicles (%(default)s)")
    parser.add_argument("--within", type=float, default=5850.0, help="seconds over which they depart (%(default)s)")
    parser.add_argument("--after", type=float, default=3600.0,
                        help="seconds after the last departure at which peers end (%(default)s)")
    parser.add_argument("--tools", default=",".join(TOOLS), help="what is run (%(default)s)")
    parser.add_argument("--scale", type=scales, default={}, metavar="TOOL=SHARE,...",
                        help="slow peers get the first share of the trips; Urbis runs that share too")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds that a run may take (%(default)s)")
    parser.add_argument("--install-limit", type=float, default=600.0, help="seconds that installing may take")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each; the median counts (%(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "out/peers", help="folder of all files (%(default)s)")
    parser.add_argument("--venv", type=Path, default=ROOT / "target/peers-venv", help="(%(default)s)")
    parser.add_argument("--urbis", type=Path, default=ROOT / "target/release/urbis", help="(%(default)s)")
    parser.add_argument("--grid", type=Path, default=ROOT / "target/release/grid", help="(%(default)s)")
    parser.add_argument("--inside-uxsim", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.wanted = [tool for tool in options.tools.split(",") if tool]
    unknown = [tool for tool in options.wanted if tool not in TOOLS]
    if unknown:
        parser.error(f"--tools {', '.join(unknown)}: expected some of {', '.join(TOOLS)}")
    if options.repeat < 1:
        parser.error("--repeat: expected at least 1")
    return options


def main():
    options = arguments()
    if options.inside_uxsim:
        inside_uxsim(options)
        return 0
    for path in ["out", "venv", "urbis", "grid"]:
        setattr(options, path, getattr(options, path).resolve())
    folder = "Scripts" if os.name == "nt" else "bin"
    options.python = options.venv / folder / "python"
    options.programs = options.venv / folder
    options.case = options.out / "grid"
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        command([options.grid, "--size", options.size, "--vehicles", options.vehicles, "--within", options.within,
                 "--out", options.case], options.limit)
        whole = Case(options.case)
    except Failed as why:
        print(f"error: {why}\nhelp: cargo build --release -p urbis-cli -p urbis-benches", file=sys.stderr)
        return 1
    options.all_trips = len(whole.trips)
    notes = install(options, options.wanted)
    by_share = {}
    for tool in options.wanted:
        if tool not in notes:
            by_share.setdefault(options.scale.get(tool, 1.0), []).append(tool)
    rows = []
    # Urbis on each share of the trips, whoever runs it: a ratio compares the same case.
    for share, tools in sorted(by_share.items(), reverse=True):
        case = whole if share == 1.0 else Case(options.case, share)
        of = "" if share == 1.0 else f", first {share:.0%}"
        own = None
        for tool in (["urbis"] if "urbis" in options.wanted else []) + [tool for tool in tools if tool != "urbis"]:
            print(f"{tool}{of} ...", file=sys.stderr, flush=True)
            try:
                row = measure(tool, case, options, f"{tool}-{share:g}")
            except Failed as why:
                notes[tool + of] = str(why)
                continue
            own = row if tool == "urbis" else own
            rows.append(cells(tool + of, row, own))
            if row.get("note"):
                notes[tool + of] = row["note"]
    lines = [f"Grid of {options.size} x {options.size} nodes, {options.all_trips:,} vehicles in {options.within:g} s, "
             f"one thread, {platform.machine()}, {os.cpu_count()} processors; {versions(options)}.", ""]
    lines += ["| " + " | ".join(row) + " |" for row in [HEADER, ["---"] * len(HEADER), *rows]]
    lines += [""] + [f"- {tool}: {note}" for tool, note in notes.items()]
    text = "\n".join(lines).rstrip() + "\n"
    (options.out / "peers.md").write_text(text)
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
