#!/usr/bin/env python3
"""Runs what a results folder lacks of a study on Dask or Ray.

    python3 tools/batch_on.py dask scenarios/town/study.toml --out out/study --workers 4
    python3 tools/batch_on.py dask scenarios/town/study.toml --out out/study --address tcp://scheduler:8786
    python3 tools/batch_on.py ray  scenarios/town/study.toml --out out/study --address auto

Needs `pip install distributed` or `pip install ray`; without --address the workers are processes of this machine. The
program, the study, its scenarios, the city and the results lie where all machines see them under the same name. Each
task is `urbis batch run --index`, started again when its worker is lost. At the end `urbis batch run --resume` does
here what is left; its exit code is this one's: 0 all runs are done, 2 bad input or no engine, 4 some runs failed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys

RETRIES = 3


def say(text):
    print(text, file=sys.stderr, flush=True)


def run_row(words, index):
    """One run, in a worker."""
    told = subprocess.run([*words, "--index", str(index)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if told.returncode != 0:
        raise RuntimeError(f"exit code {told.returncode}: {told.stderr.strip()[-2000:]}")
    return index


def on_dask(words, rows, options):
    """Yields each row with why it failed, as they end."""
    from distributed import Client, LocalCluster, as_completed

    local = None
    if options.address is None:
        local = LocalCluster(n_workers=options.workers, threads_per_worker=1, dashboard_address=None)
    client = Client(options.address or local)
    try:
        futures = {client.submit(run_row, words, row, pure=False, retries=RETRIES): row for row in rows}
        for future in as_completed(futures):
            yield futures[future], future.exception()
    finally:
        client.close()
        if local is not None:
            local.close()


def on_ray(words, rows, options):
    """Yields each row with why it failed, as they end."""
    import ray

    ray.init(address=options.address, num_cpus=options.workers if options.address is None else None)
    try:
        task = ray.remote(num_cpus=options.threads, max_retries=RETRIES, retry_exceptions=True)(run_row)
        waiting = {task.remote(words, row): row for row in rows}
        while waiting:
            for reference in ray.wait(list(waiting))[0]:
                try:
                    ray.get(reference)
                    yield waiting.pop(reference), None
                except ray.exceptions.RayError as why:
                    yield waiting.pop(reference), why
    finally:
        ray.shutdown()


ENGINES = {"dask": (on_dask, "distributed"), "ray": (on_ray, "ray")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=sorted(ENGINES))
    parser.add_argument("study", help="study (TOML)")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder of the results; what is done is kept")
    parser.add_argument("--address", help="of a scheduler that runs already")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="on this machine [default: one a core]")
    parser.add_argument("--threads", type=int, default=1, help="of each run [default: 1]")
    parser.add_argument("--urbis", default="urbis", help="the program [default: urbis, as the shell finds it]")
    options = parser.parse_args()

    urbis = shutil.which(options.urbis)
    if urbis is None:
        say(f"error: {options.urbis}: not found\n  help: say where the program is with --urbis")
        return 2
    study, out = os.path.abspath(options.study), os.path.abspath(options.out)
    # Builds the city once, and puts the manifest beside the results.
    planned = subprocess.run([urbis, "batch", "plan", study, "--out", out, "--format", "json"], stdout=subprocess.PIPE)
    if planned.returncode != 0:
        return planned.returncode
    told = subprocess.run(
        [urbis, "batch", "status", study, "--out", out, "--format", "json"], stdout=subprocess.PIPE, check=True
    )
    rows = [run["index"] for run in json.loads(told.stdout)["runs"] if run["state"] != "done"]
    words = [os.path.abspath(urbis), "batch", "run", study, "--out", out, "--threads", str(options.threads), "--quiet"]
    run_on, package = ENGINES[options.engine]
    if rows:
        say(f"{len(rows)} runs on {options.engine}")
        try:
            for ended, (row, why) in enumerate(run_on(words, rows, options), 1):
                say(f"{ended}/{len(rows)} run {row}: {'done' if why is None else f'failed: {why}'}")
        except ImportError as why:
            say(f"error: {options.engine}: {why}\n  help: pip install {package}")
            return 2
    return subprocess.run([*words, "--resume"]).returncode


if __name__ == "__main__":
    sys.exit(main())
