#!/usr/bin/env python3
"""Plans the day of the same persons with Urbis and with ActivitySim, on one thread, and prints a Markdown table with
persons a second and ratios.

The case is ActivitySim's own example `prototype_mtc` with its 25 zones of San Francisco, 5,000 households and 8,212
persons, which comes with the package, its skims and its settings as they are. `--copies 12` gives everybody eleven
twins: on the bundled persons most of ActivitySim's time is fixed, so larger populations are kinder to it.

The two programs do not do the same work, and the ratio is one of speed alone:

- ActivitySim does more: 21 modes by a specification of 343 rows, destinations by logsums of the mode choice for every
  sampled zone, schedules by hour with logsums of their own, car ownership, free parking, coordinated daily patterns of
  households, joint tours, subtours at work, up to three stops on each half of a tour with places, purposes and times of
  their own, a mode for every trip, checkpoints of all tables.
- Urbis takes cars from the file, deals out workplaces and schools by doubly-constrained gravity, takes one of seven modes
  for a tour by nested logit, has escorts to school, one stop on the way home and trips at midday, and times to the second
  by day tables. No parking prices. Its constants are the defaults, not fitted to San Francisco.
- ActivitySim is run as its example is set: one process, pandas and numpy, without sharrow, which compiles expressions
  and would be faster.

The ratio compares processor time, which other programs on the machine move less than the clock does. ActivitySim's is
that of its models, without its start, reading and writing; Urbis's that of its whole program, reading included, over the
days that it plans one after the other (`--seconds`).

Nothing beyond the standard library is needed; ActivitySim is installed into a virtual environment of its own. Linux:
processor time comes from /proc."""

import argparse
import csv
import json
import os
import platform
import re
import resource
import shutil
import sys
import venv
from pathlib import Path

from run import ROOT, Failed, command, read_table, timed_lines

# Versions known to go together on Python 3.11.
PACKAGES = ["activitysim==1.6.0", "sharrow==2.16.2", "pandas==2.3.3", "numpy==2.4.6", "numba==0.68.1",
            "xarray==2026.9.0", "tables==3.11.1", "OpenMatrix==0.3.5.0", "pandera==0.35.0", "pydantic==2.14.4"]
TICKS = os.sysconf("SC_CLK_TCK")
EXAMPLE = "prototype_mtc"
FILES = {"households.csv": ["HHID"], "persons.csv": ["PERID", "household_id"]}
# Ids of the twins.
ID_STEP = 10_000_000
# What is no model: reading and writing.
BESIDE = re.compile(r"initialize_|write_|track_skim_usage|summarize")
# 12.345 seconds, or 01:05.308 from a minute on.
STEP = re.compile(r"time to execute run\.(\w+) : ([\d:.]+)")
MODES = [("walk", r"WALK$"), ("bicycle", r"BIKE$"), ("public transport", r"(WALK|DRIVE)_"),
         ("car, taxi", r"DRIVEALONE|SHARED|TAXI|TNC")]
URBIS_MODES = {"walk": ["walk"], "bicycle": ["bicycle"], "public transport": ["transit"],
               "car, taxi": ["car", "car_passenger", "two_wheeler", "van"]}
HEADER = ["tool", "persons", "tours from home", "trips", "plan, s", "processor, s", "persons/s",
          "persons/processor s", "ratio"]


def install(options):
    """ActivitySim in its virtual environment, with the versions above or, where they are not to be had, any."""
    try:
        if not options.python.exists():
            venv.create(options.venv, with_pip=True)
    except OSError as why:
        raise Failed(f"no virtual environment: {why}") from None
    pip = [options.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        command([*pip, *PACKAGES], options.install_limit)
    except Failed:
        command([*pip, "activitysim"], options.install_limit)


def version(options):
    words = [options.python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"]
    listed = {one["name"].lower(): one["version"] for one in json.loads(command(words, options.install_limit))}
    return ", ".join(f"{name} {listed.get(name)}" for name in ["activitysim", "pandas", "numpy"])


def example(options):
    """The folder of the example, with its settings and data."""
    folder = options.out / EXAMPLE
    if not (folder / "data/skims.omx").exists():
        shutil.rmtree(folder, ignore_errors=True)
        command([options.program, "create", "-e", EXAMPLE, "-d", options.out], options.install_limit)
    return folder


def with_twins(folder, copies):
    """A data folder in which every household occurs so many times, with ids of its own."""
    if copies == 1:
        return folder / "data"
    data = folder / f"data-{copies}"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    for name in ["land_use.csv", "skims.omx"]:
        shutil.copy(folder / "data" / name, data / name)
    for name, ids in FILES.items():
        rows = read_table(folder / "data" / name)
        if max(int(row[column]) for row in rows for column in ids) >= ID_STEP:
            raise Failed(f"{name} has ids of {ID_STEP:,} and more")
        with open(data / name, "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            for nth in range(copies):
                for row in rows:
                    writer.writerow({**row, **{column: int(row[column]) + nth * ID_STEP for column in ids}})
    return data


def seconds(text):
    """Seconds of `5.3`, `1:05.3` or `1:00:05.3`."""
    whole = 0.0
    for part in text.split(":"):
        whole = 60.0 * whole + float(part)
    return whole


def processor_s(process):
    """Processor time that a running process has had; Linux."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def run_activitysim(options, data, name):
    out = options.out / name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    # Name, seconds by the clock, and processor time of every step; the latter since the step before.
    steps, had_s = [], [0.0]

    def look(process, line):
        found = STEP.search(line)
        if found:
            now_s = processor_s(process)
            steps.append((found[1], seconds(found[2]), now_s - had_s[0]))
            had_s[0] = now_s

    lines = timed_lines([options.program, "run", "-c", options.out / EXAMPLE / "configs", "-d", data, "-o", out,
                         "--households_sample_size", options.households], options.limit, out / "run.log", look)
    models = [step for step in steps if not BESIDE.match(step[0])]
    if not any(step[0] == "trip_mode_choice" for step in models):
        raise Failed(f"does not say how long its models took, see {out / 'run.log'}")
    plan_s, whole_s = sum(step[1] for step in models), lines[-1][0]
    trips = read_table(out / "final_trips.csv")
    tours = read_table(out / "final_tours.csv")
    modes = {mode: sum(bool(re.match(pattern, trip["trip_mode"])) for trip in trips) for mode, pattern in MODES}
    slowest = sorted(models, key=lambda step: -step[2])[:3]
    note = f"whole command {whole_s:.0f} s by the clock, {had_s[0]:.0f} s of processor time; most of it in "
    return dict(persons=len(read_table(out / "final_persons.csv")), trips=len(trips), modes=modes, plan_s=plan_s,
                tours=sum(tour["tour_category"] != "atwork" for tour in tours),
                processor_s=sum(step[2] for step in models), households=out / "final_households.csv",
                note=note + ", ".join(f"{step[0]} {step[2]:.1f} s" for step in slowest))


def run_urbis(options, data, households):
    words = [options.plan_persons, "--data", data, "--threads", 1, "--seconds", options.seconds]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    facts = json.loads(command(words + ["--only", households], options.limit))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    modes = {mode: sum(facts["trips_by_mode"][of] for of in ours) for mode, ours in URBIS_MODES.items()}
    note = f"mean of {facts['repeats']} days of other seeds; reading {facts['load_s']:.2f} s"
    return dict(persons=facts["persons"], trips=facts["trips"], tours=facts["tours"], modes=modes,
                plan_s=facts["plan_s"], processor_s=used_s / facts["repeats"], note=note)


def cells(tool, row, own):
    rate = row["persons"] / row["processor_s"]
    ratio = own["persons"] / own["processor_s"] / rate
    return [tool, f"{row['persons']:,}", f"{row['tours']:,}", f"{row['trips']:,}", f"{row['plan_s']:.4g}",
            f"{row['processor_s']:.4g}", f"{row['persons'] / row['plan_s']:,.0f}", f"{rate:,.0f}", f"{ratio:,.0f}"]


def shares(row):
    return ", ".join(f"{mode} {count / max(row['trips'], 1):.0%}" for mode, count in row["modes"].items())


def copies(text):
    try:
        found = [int(part) for part in text.split(",") if part]
    except ValueError:
        found = []
    if not found or not all(1 <= count <= 200 for count in found):
        raise argparse.ArgumentTypeError("expected for instance 1,12: whole numbers of 1 to 200")
    return found


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--households", type=int, default=0, help="households of the sample; 0: all (%(default)s)")
    parser.add_argument("--copies", type=copies, default=[1], help="times that everybody occurs, e.g. 1,12 (1)")
    parser.add_argument("--seconds", type=float, default=10.0, help="that Urbis plans at least (%(default)s)")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds that a run may take (%(default)s)")
    parser.add_argument("--install-limit", type=float, default=600.0, help="seconds that installing may take")
    parser.add_argument("--out", type=Path, default=ROOT / "out/activitysim", help="folder of all files (%(default)s)")
    parser.add_argument("--venv", type=Path, default=ROOT / "target/activitysim-venv", help="(%(default)s)")
    parser.add_argument("--plan-persons", type=Path, default=ROOT / "target/release/plan-persons", help="(%(default)s)")
    options = parser.parse_args()
    if options.households < 0:
        parser.error("--households: expected 0 or more")
    return options


def main():
    options = arguments()
    for path in ["out", "venv", "plan_persons"]:
        setattr(options, path, getattr(options, path).absolute())
    programs = options.venv / ("Scripts" if os.name == "nt" else "bin")
    options.python, options.program = programs / "python", programs / "activitysim"
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.plan_persons.exists():
        print(f"error: no {options.plan_persons}\nhelp: cargo build --release -p urbis-benches", file=sys.stderr)
        return 1
    try:
        install(options)
        folder = example(options)
        versions = version(options)
    except Failed as why:
        print(f"error: {why}", file=sys.stderr)
        return 1
    rows, notes = [], []
    for count in options.copies:
        of = "" if count == 1 else f", {count} of each"
        found = {}
        households = None
        for tool in ["ActivitySim", "Urbis"]:
            if tool == "Urbis" and households is None:
                continue
            print(f"{tool}{of} ...", file=sys.stderr, flush=True)
            try:
                data = with_twins(folder, count)
                if tool == "Urbis":
                    row = run_urbis(options, data, households)
                else:
                    row = run_activitysim(options, data, f"run-{count}")
                    households = row["households"]
            except Failed as why:
                notes.append(f"{tool}{of}: {why}")
                continue
            found[tool] = row
            notes.append(f"{tool}{of}: {row['note']}; trips {shares(row)}")
        own = found.get("Urbis")
        rows += [cells(tool + of, row, own) for tool, row in sorted(found.items(), reverse=True) if own]
    lines = [f"ActivitySim's example {EXAMPLE}, one thread, {platform.machine()}, {os.cpu_count()} processors; "
             f"{versions}, Python {platform.python_version()}.", ""]
    lines += ["| " + " | ".join(row) + " |" for row in [HEADER, ["---"] * len(HEADER), *rows]]
    lines += [""] + [f"- {note}" for note in notes]
    text = "\n".join(lines) + "\n"
    (options.out / "activitysim.md").write_text(text)
    print(text, end="")
    return 0 if rows else 1


if __name__ == "__main__":
    sys.exit(main())
