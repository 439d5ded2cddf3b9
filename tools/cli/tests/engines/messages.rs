//! What `urbis batch submit` says when it cannot, and what it writes without submitting.

use crate::common::{Ended, ended, program};
use crate::{batch, town, urbis};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Runs the command where only the programs of one folder are found.
fn submit(place: &Path, programs: &str, arguments: &[&str]) -> Ended {
    let words = ["batch", "submit", "study.toml", "--out", "out"];
    ended(program(place, &[&words, arguments].concat()).env("PATH", place.join(programs)))
}

fn stand_in(place: &Path, name: &str, text: &str) {
    let path = place.join("bin").join(name);
    std::fs::create_dir_all(place.join("bin")).unwrap();
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn what_cannot_be_submitted_is_refused_with_what_to_do() {
    let place = town("name = \"cars\"\nscenarios = [\"baseline.toml\"]\nseeds = [1, 2, 3]\n", 1);
    let place = place.path();
    for (engine, name, help) in
        [("slurm", "sbatch", "apt install slurm-client"), ("hyperqueue", "hq", "one program, hq")]
    {
        let ended = submit(place, "none", &["--engine", engine]);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
        for part in [&format!("error: {name}: not found; nothing was submitted"), help, "--dry-run"] {
            assert!(ended.stderr.contains(part), "{part} is missing in\n{}", ended.stderr);
        }
    }
    // An engine's own words are told, and what it has taken before.
    stand_in(place, "sbatch", "case $* in *slurm-0.sh) echo 41 ;; *) echo 'invalid partition' >&2; exit 1 ;; esac");
    let ended = submit(place, "bin", &["--engine", "slurm", "--max-array-size", "2", "--partition", "fast"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    for part in ["sbatch: ended with exit status: 1: invalid partition", "submitted before it: 41", "`scancel 41`"] {
        assert!(ended.stderr.contains(part), "{part} is missing in\n{}", ended.stderr);
    }

    let ended = submit(place, "bin", &["--engine", "hyperqueue", "--partition", "fast", "--image", "x"]);
    assert_eq!(ended.code, 2);
    for part in ["--partition: not an option of hyperqueue, expected slurm", "--image: not an option of hyperqueue"] {
        assert!(ended.stderr.contains(part), "{part} is missing in\n{}", ended.stderr);
    }
    let ended = submit(place, "bin", &["--engine", "kubernetes", "--image", "x"]);
    assert!(ended.code == 2 && ended.stderr.contains("--claim: missing") && ended.stderr.contains("--mount: missing"));
    let pods = ["--engine", "kubernetes", "--image", "x", "--claim", "y", "--mount", "/somewhere"];
    let ended = submit(place, "bin", &pods);
    assert!(ended.code == 2 && ended.stderr.contains("expected it below /somewhere"), "{}", ended.stderr);
    let ended = submit(place, "bin", &["--engine", "nomad"]);
    assert!(ended.code == 2 && ended.stderr.contains("[possible values: slurm, hyperqueue, kubernetes]"));
}

#[test]
fn job_files_are_written_without_an_engine() {
    let place = town("name = \"cars\"\nscenarios = [\"baseline.toml\"]\nseeds = [1, 2, 3]\n", 1);
    let place = place.path();
    assert_eq!(batch(place, &["--out", "out", "--index", "1", "-q"]).code, 0);
    let ended =
        submit(place, "none", &["--engine", "slurm", "--dry-run", "--max-array-size", "2", "--extra=--qos=low"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(
        ended.stdout,
        "sbatch --parsable out/study/slurm-0.sh\nsbatch --parsable out/study/slurm-2.sh\n\
         sbatch --dependency=afterany:ID:ID out/study/slurm-finish.sh    # the ids that the calls before print\n"
    );
    let text = std::fs::read_to_string(place.join("out/study/slurm-2.sh")).unwrap();
    assert!(text.contains("#SBATCH --array=0\n") && text.contains("#SBATCH --qos=low\n"), "{text}");
    // Those of another submission do not stay.
    assert_eq!(submit(place, "none", &["--engine", "slurm", "--write-only"]).code, 0);
    let text = std::fs::read_to_string(place.join("out/study/slurm-0.sh")).unwrap();
    assert!(text.contains("#SBATCH --array=0,2\n") && !place.join("out/study/slurm-2.sh").exists(), "{text}");

    let ended = submit(place, "none", &["--engine", "hyperqueue", "--dry-run", "--memory-gib", "2"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "sh out/study/hyperqueue.sh\n"), "{}", ended.stderr);
    let text = std::fs::read_to_string(place.join("out/study/hyperqueue.sh")).unwrap();
    assert!(text.contains("--array=0,2 --cpus=1 --resource=mem=2048 "), "{text}");
    // What was run by hand from the file is what the program calls.
    stand_in(place, "hq", "for word; do printf '%s\\n' \"$word\"; done > called; echo 7");
    let path = format!("{}:/usr/bin:/bin", place.join("bin").display());
    let by_hand =
        Command::new("sh").arg("out/study/hyperqueue.sh").env("PATH", path).current_dir(place).output().unwrap();
    assert_eq!(by_hand.stdout, b"7\n");
    let called = std::fs::read_to_string(place.join("called")).unwrap();
    let ended = submit(place, "bin", &["--engine", "hyperqueue", "--memory-gib", "2"]);
    assert!(ended.code == 0 && ended.stdout.contains("hq job wait 7"), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(std::fs::read_to_string(place.join("called")).unwrap(), called);

    assert_eq!(urbis(place, &["batch", "run", "study.toml", "--out", "out", "-q"]).code, 0);
    let ended = submit(place, "none", &["--engine", "slurm"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "nothing to submit: 3 runs are done: out\n"));
}
