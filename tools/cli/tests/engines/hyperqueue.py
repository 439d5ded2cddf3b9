"""HyperQueue for the test beside this file. PyPI has HyperQueue as a Python module: its server, workers and protocol, but
not its program `hq`. The first two commands are a server and a worker, each a process of its own; the others take the
arguments of `hq` that `urbis batch submit` writes, no others, and hand them to the server.

    python hyperqueue.py server DIR
    python hyperqueue.py worker DIR
    HQ_SERVER_DIR=DIR python hyperqueue.py --output-mode=quiet submit --array=0-3,7 ... -- PROGRAM ARGUMENT ...
    HQ_SERVER_DIR=DIR python hyperqueue.py job wait ID
"""

import sys

# This file is named as the module is.
sys.path = [path for path in sys.path if not path.endswith("tests/engines")]

import argparse
import os
import pathlib
import tempfile
import time

from hyperqueue.ffi.client import ClientConnection
from hyperqueue.ffi.cluster import Cluster
from hyperqueue.ffi.protocol import JobDescription, ResourceRequest, TaskDescription
from hyperqueue.output import StdioDef


def for_ever(word):
    print(word, flush=True)
    while True:
        time.sleep(3600)


def worker(folder):
    """The module starts workers only beside a server, so this one has a server of its own that nobody uses: before the
    worker starts, the place where it looks is turned to the other server."""
    own = pathlib.Path(tempfile.mkdtemp(dir=folder, prefix="worker-"))
    cluster = Cluster(str(own))
    current = own / "hq-current"
    current.unlink()
    current.symlink_to((folder / "hq-current").resolve())
    cluster.add_worker(1)
    for_ever("worker")


def numbers(text):
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def submit(words):
    options, program = words[: words.index("--")], words[words.index("--") + 1 :]
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--name", required=True)
    parser.add_argument("--array", type=numbers, required=True)
    parser.add_argument("--cpus", type=int, required=True)
    parser.add_argument("--crash-limit", type=int, required=True)
    parser.add_argument("--stdout", choices=["none"], required=True)
    parser.add_argument("--stderr", required=True)
    told = parser.parse_args(options)
    tasks = [
        TaskDescription(
            id=number,
            args=program,
            cwd=os.getcwd(),
            stdout=None,
            stderr=StdioDef.from_path(told.stderr),
            stdin=None,
            env={},
            dependencies=[],
            task_dir=False,
            priority=0,
            resource_request=[ResourceRequest(cpus=told.cpus)],
            crash_limit=told.crash_limit,
        )
        for number in told.array
    ]
    return JobDescription(name=told.name, tasks=tasks, max_fails=None)


def main(words):
    if words[0] in ("server", "worker"):
        folder = pathlib.Path(words[1])
        if words[0] == "worker":
            worker(folder)
        cluster = Cluster(str(folder))
        for_ever(f"server {cluster.server_dir}")
    client = ClientConnection(os.environ["HQ_SERVER_DIR"])
    if words[:2] == ["--output-mode=quiet", "submit"]:
        print(client.submit_job(submit(words[2:])))
    elif words[:2] == ["job", "wait"]:
        failed = client.wait_for_jobs([int(words[2])], lambda jobs: None)
        for task, why in client.get_failed_tasks(failed).items() if failed else ():
            print(task, why, file=sys.stderr)
        sys.exit(1 if failed else 0)
    else:
        sys.exit(f"no such command: {words}")


main(sys.argv[1:])
