//! HyperQueue's own server and two workers, one of which is lost in the middle. Its program `hq` is not on PyPI; what
//! stands in for it hands the same arguments to the same server (`hyperqueue.py`).

use crate::daemons::{Daemon, hold, kill, logs, name, parent, processes, release};
use crate::python::{here, python};
use crate::{begun, done, ended, skipped, wait_until};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Ends runs of the program in a folder that a failed test left behind.
struct Runs<'a>(&'a Path);

impl Drop for Runs<'_> {
    fn drop(&mut self) {
        let is_here = |process: &Path| std::fs::read_link(process.join("cwd")).is_ok_and(|place| place == self.0);
        kill(&processes(|process| name(process) == "urbis" && is_here(process)));
    }
}

/// Whether a run has its folder of unfinished results.
fn writes_results(process: &Path) -> bool {
    let open = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    let places: Vec<_> = open.filter_map(|entry| std::fs::read_link(entry.path()).ok()).collect();
    // Held while it makes what runs share, it would keep the others waiting for ever.
    let is_sharing = places.iter().any(|place| place.extension().is_some_and(|of| of == "lock"));
    !is_sharing && places.iter().any(|place| place.is_dir() && place.to_string_lossy().contains("/.unfinished-"))
}

#[test]
fn hyperqueue_completes_a_study_though_a_worker_is_lost() {
    let (place, hash) = begun();
    let place = place.path();
    let _runs = Runs(place);
    let python = match python(place) {
        Ok(python) => python,
        Err(why) => return skipped(&format!("no HyperQueue of PyPI. {why}")),
    };
    let (python, script) = (python.to_str().unwrap().to_owned(), here().join("hyperqueue.py"));
    let script = script.to_str().unwrap();
    let (folder, said) = (place.join("hq"), place.join("said"));
    for folder in [&folder, &said] {
        std::fs::create_dir(folder).unwrap();
    }
    let hq = place.join("bin/hq");
    std::fs::create_dir(place.join("bin")).unwrap();
    std::fs::write(&hq, format!("#!/bin/sh\nexec '{python}' '{script}' \"$@\"\n")).unwrap();
    std::fs::set_permissions(&hq, Permissions::from_mode(0o755)).unwrap();

    let server = folder.to_str().unwrap();
    let start = |what: &str, log: &str| {
        let log = said.join(log);
        let daemon = Daemon::start(&python, &[script, what, server], &[], &log);
        let is_up = || std::fs::read_to_string(&log).is_ok_and(|text| text.lines().any(|line| line.starts_with(what)));
        wait_until(&format!("HyperQueue's {what}"), &|| logs(&said), &mut || is_up());
        daemon
    };
    let _server = start("server", "server");
    let _worker = start("worker", "worker-1");
    let mut lost = start("worker", "worker-2");

    let path = format!("{}:{}", place.join("bin").display(), std::env::var("PATH").unwrap());
    let variables = [("HQ_SERVER_DIR", server), ("PATH", path.as_str())];
    let output = Command::new(env!("CARGO_BIN_EXE_urbis"))
        .args(["batch", "submit", "study.toml", "--out", "out", "--engine", "hyperqueue"])
        .current_dir(place)
        .envs(variables)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    print!("{told}");
    assert!(told.starts_with("11 runs submitted to HyperQueue: job 1\nnext     hq job wait 1\n"), "{told}");
    let written = std::fs::read_to_string(place.join("out/study/hyperqueue.sh")).unwrap();
    assert!(written.contains(" --array=0-2,4-11 ") && written.contains(" --crash-limit=4 "), "{written}");

    let of_lost = Path::new("/proc").join(lost.id().to_string());
    let is_run = |process: &Path| name(process) == "urbis" && parent(process).as_deref() == Some(&of_lost);
    let mut left = Vec::new();
    wait_until("a run on the second worker, and two that are done", &|| logs(&place.join("out/logs")), &mut || {
        left = if done(place) >= 3 { processes(is_run) } else { Vec::new() };
        // One that has not begun to write is let go: the next would not have to wait for it.
        let is_met = hold(&left) && left.iter().any(|process| writes_results(process));
        if !is_met {
            release(&left);
        }
        is_met
    });
    lost.kill();
    println!("a worker lost after {} runs", done(place));
    assert!(done(place) < 12);
    // The run is left behind alone; HyperQueue tells it to end, which it does not hear before the run starts again.
    let second_logs = || {
        let logs = std::fs::read_dir(place.join("out/logs")).unwrap().flatten().map(|entry| entry.path());
        logs.filter(|log| log.to_string_lossy().ends_with("-1.log"))
    };
    wait_until("the same run on the other worker", &|| logs(&place.join("out/logs")), &mut || {
        second_logs().any(|log| std::fs::read_to_string(log).is_ok_and(|text| text.contains("by another process")))
    });
    release(&left);

    let mut wait = Daemon::start(hq.to_str().unwrap(), &["job", "wait", "1"], &variables, &said.join("wait"));
    let tell = || format!("{}{}", logs(&said), logs(&place.join("out/logs")));
    wait_until("the end of the job", &tell, &mut || wait.has_ended());
    println!("{} task was started again", second_logs().count());
    ended(place, &hash, &["--engine", "hyperqueue"]);
}
