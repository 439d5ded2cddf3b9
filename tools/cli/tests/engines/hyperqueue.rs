//! HyperQueue's own server and two workers, one of which is lost in the middle. Its program `hq` is not on PyPI; what
//! stands in for it hands the same arguments to the same server (`hyperqueue.py`).

use crate::daemons::{Daemon, hold, logs, name, parent, processes};
use crate::python::{here, python};
use crate::{begun, done, ended, skipped, wait_until};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn hyperqueue_completes_a_study_though_a_worker_is_lost() {
    let (place, hash) = begun();
    let place = place.path();
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
    wait_until("a run on the second worker, and two that are done", &|| logs(&place.join("out/logs")), &mut || {
        done(place) >= 3 && hold(&processes(is_run))
    });
    lost.kill();
    println!("a worker lost after {} runs", done(place));
    assert!(done(place) < 12);

    let mut wait = Daemon::start(hq.to_str().unwrap(), &["job", "wait", "1"], &variables, &said.join("wait"));
    let tell = || format!("{}{}", logs(&said), logs(&place.join("out/logs")));
    wait_until("the end of the job", &tell, &mut || wait.has_ended());
    let again = std::fs::read_dir(place.join("out/logs")).unwrap().flatten().map(|entry| entry.file_name());
    let again = again.filter(|name| name.to_string_lossy().ends_with("-1.log")).count();
    println!("{again} tasks were started again");
    assert!(again >= 1, "{}", tell());
    ended(place, &hash, &["--engine", "hyperqueue"]);
}
