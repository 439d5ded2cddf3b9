//! Kubernetes' manifest: nothing in it that a Job does not have, and pods that would run what is missing.

use crate::{batch, checked_hash, status, town, urbis};
use k8s_openapi::api::batch::v1::Job;
use serde_json::Value as Json;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn the_manifest_is_a_job_whose_pods_run_what_is_missing() {
    let place = town("name = \"my_cars\"\nscenarios = [\"baseline.toml\", \"cars.toml\"]\nseeds = [1, 2, 3]\n", 1);
    let place = place.path();
    let plain = batch(place, &["--out", "plain", "--quiet"]);
    assert_eq!(plain.code, 0, "{}", plain.stderr);
    for index in ["0", "4"] {
        assert_eq!(batch(place, &["--out", "the results", "--index", index, "-q"]).code, 0);
    }
    let mount = place.to_str().unwrap();
    let told = urbis(
        place,
        &[
            &["batch", "submit", "study.toml", "--out", "the results", "--engine", "kubernetes", "--threads", "2"][..],
            &["--memory-gib", "1.5", "--time-limit-min", "30", "--image", "registry/urbis:0.1.0", "--claim", "shared"],
            &["--mount", mount, "--retries", "5"],
        ]
        .concat(),
    );
    assert_eq!(told.code, 0, "{}", told.stderr);
    let file = "the results/study/kubernetes.yaml";
    assert!(
        told.stdout.starts_with("4 runs for Kubernetes\nnext     kubectl create -f 'the results/"),
        "{}",
        told.stdout
    );

    // Fields that a Job does not have are lost on the way through its type, and values of other kinds are refused.
    let text = std::fs::read_to_string(place.join(file)).unwrap();
    let written: Json = serde_saphyr::from_str(&text).unwrap();
    let job: Job = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(&job).unwrap(), written);
    let mut wrong = written;
    wrong["spec"]["completion"] = 4.into();
    let lost: Job = serde_json::from_value(wrong.clone()).unwrap();
    assert_ne!(serde_json::to_value(&lost).unwrap(), wrong, "the check sees unknown fields");

    // What the server asks beyond types.
    let name = job.metadata.generate_name.unwrap();
    assert_eq!(name, "urbis-my-cars-");
    let spec = job.spec.unwrap();
    assert_eq!(spec.completion_mode.as_deref(), Some("Indexed"));
    assert_eq!((spec.completions, spec.parallelism, spec.backoff_limit_per_index), (Some(4), Some(4), Some(5)));
    let pod = spec.template.spec.unwrap();
    assert_eq!((pod.restart_policy.as_deref(), pod.active_deadline_seconds), (Some("Never"), Some(1800)));
    let claim = pod.volumes.unwrap().remove(0).persistent_volume_claim.unwrap();
    let container = &pod.containers[0];
    assert_eq!((claim.claim_name.as_str(), container.image.as_deref()), ("shared", Some("registry/urbis:0.1.0")));
    assert_eq!(container.volume_mounts.as_ref().unwrap()[0].mount_path, mount);
    let resources = container.resources.as_ref().unwrap();
    let (requests, limits) = (resources.requests.as_ref().unwrap(), resources.limits.as_ref().unwrap());
    assert_eq!((requests["cpu"].0.as_str(), requests["memory"].0.as_str()), ("2", "1536Mi"));
    assert_eq!(limits["memory"].0, "1536Mi");

    // The pods' command, as a node runs it for each index.
    let command = container.command.as_ref().unwrap();
    let bin = Path::new(env!("CARGO_BIN_EXE_urbis")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let run = |index: &str| {
        let mut pod = Command::new(&command[0]);
        pod.args(&command[1..]).env("PATH", &path).env("JOB_COMPLETION_INDEX", index).current_dir("/");
        pod.stdin(Stdio::null()).output().unwrap()
    };
    for index in ["2", "0", "3", "1"] {
        let output = run(index);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(run("4").status.code(), Some(2), "there is no such task");
    let told = status(place, "the results");
    assert_eq!(told["counts"]["done"], 6);
    assert_eq!(checked_hash(&place.join("the results")), checked_hash(&place.join("plain")));
}
