//! A cluster of Slurm on this machine: a controller and two nodes with one core each, one of which is lost in the middle.

use crate::daemons::{Daemon, has_variable, hold, kill, logs, name, parent, processes};
use crate::{begun, done, ended, skipped, wait_until};
use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

fn call(program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", PATH).envs(variables.iter().copied()).stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    Err(format!("{program} {} failed: {said}{}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)))
}

/// Sees to it that Slurm is installed.
fn install() -> Result<(), String> {
    if call("id", &["-u"], &[])?.trim() != "0" {
        return Err("Slurm's daemons need root".to_owned());
    }
    let programs = ["munged", "slurmctld", "slurmd", "sbatch", "setpriv"];
    let is_there = |program: &&str| PATH.split(':').any(|folder| Path::new(folder).join(program).exists());
    if programs.iter().all(is_there) {
        return Ok(());
    }
    println!("installing munge and slurm-wlm");
    let variables = [("DEBIAN_FRONTEND", "noninteractive")];
    // Lists may be absent or old; what they still name is enough.
    let _ = call("apt-get", &["-q", "update"], &variables);
    let wait = "DPkg::Lock::Timeout=300";
    let words = ["-q", "-o", wait, "install", "-y", "--no-install-recommends", "munge", "slurm-wlm"];
    call("apt-get", &words, &variables).map(drop)
}

struct Cluster {
    /// The lost one is last.
    nodes: Vec<Daemon>,
    _others: Vec<Daemon>,
    folder: PathBuf,
    config: String,
}

impl Cluster {
    fn start(place: &Path) -> Self {
        let folder = place.join("slurm");
        for part in ["state", "spool", "log", "run"] {
            std::fs::create_dir_all(folder.join(part)).unwrap();
        }
        let key = folder.join("munge.key");
        let seed: Vec<u8> = (0..1024_u32).map(|row| (row * row % 251) as u8).collect();
        std::fs::write(&key, seed).unwrap();
        std::fs::set_permissions(&key, Permissions::from_mode(0o400)).unwrap();
        // Held until all are known, so that they differ.
        let listeners = [0; 3].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports: Vec<u16> = listeners.iter().map(|of| of.local_addr().unwrap().port()).collect();
        drop(listeners);
        let host = call("hostname", &["-s"], &[]).unwrap();
        let (host, base) = (host.trim(), folder.to_str().unwrap());
        let mut text = format!(
            "ClusterName=test\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser=root\nSlurmdUser=root\n\
             SlurmctldPort={port}\nAuthType=auth/munge\nAuthInfo=socket={base}/run/munge\nCredType=cred/munge\n\
             StateSaveLocation={base}/state\nSlurmdSpoolDir={base}/spool/%n\n\
             SlurmctldPidFile={base}/run/slurmctld.pid\nSlurmdPidFile={base}/run/%n.pid\n\
             SlurmctldLogFile={base}/log/slurmctld\nSlurmdLogFile={base}/log/%n\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nSwitchType=switch/none\nMpiDefault=none\n\
             JobAcctGatherType=jobacct_gather/none\nSelectType=select/cons_tres\nSelectTypeParameters=CR_Core\n\
             SchedulerParameters=sched_interval=1,bf_interval=1\nJobRequeue=1\nReturnToService=2\n\
             SlurmdTimeout=10\nMinJobAge=3600\n",
            port = ports[0]
        );
        for (row, port) in ports[1..].iter().enumerate() {
            text += &format!("NodeName=n{row} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1\n");
        }
        text += "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n";
        let path = folder.join("slurm.conf");
        std::fs::write(&path, text).unwrap();
        let config = path.to_str().unwrap().to_owned();

        let variables = [("SLURM_CONF", config.as_str()), ("PATH", PATH)];
        let log = |of: &str| folder.join("log").join(format!("{of}.said"));
        let munged = [
            "--foreground".to_owned(),
            "--force".to_owned(),
            format!("--key-file={base}/munge.key"),
            format!("--socket={base}/run/munge"),
            format!("--pid-file={base}/run/munged.pid"),
            format!("--log-file={base}/log/munged"),
            format!("--seed-file={base}/run/seed"),
        ];
        let munged: Vec<&str> = munged.iter().map(String::as_str).collect();
        let mut others = vec![Daemon::start("munged", &munged, &variables, &log("munged"))];
        let tell = || logs(&folder.join("log"));
        wait_until("munge's socket", &tell, &mut || folder.join("run/munge").exists());
        others.push(Daemon::start("slurmctld", &["-D", "-f", &config], &variables, &log("slurmctld")));
        let node = |row: usize| {
            let name = format!("n{row}");
            Daemon::start("slurmd", &["-D", "-N", &name, "-f", &config], &variables, &log(&name))
        };
        let cluster = Self { nodes: vec![node(0), node(1)], _others: others, folder, config: config.clone() };
        wait_until("a cluster with two idle nodes", &|| cluster.tell(), &mut || {
            cluster.call("sinfo", &["-h", "-o", "%T %D"]).is_ok_and(|told| told.trim() == "idle 2")
        });
        cluster
    }
    fn call(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        call(program, arguments, &[("SLURM_CONF", &self.config)])
    }
    fn tell(&self) -> String {
        let queue = self.call("squeue", &["-t", "all"]).unwrap_or_else(|why| why);
        let nodes = self.call("sinfo", &["-N", "-l"]).unwrap_or_else(|why| why);
        format!("{queue}\n{nodes}\n{}", logs(&self.folder.join("log")))
    }
    /// What runs on a node: that which watches over it first.
    fn on(&self, node: &str) -> Vec<PathBuf> {
        let (ours, there) = (format!("SLURM_CONF={}", self.config), format!("SLURMD_NODENAME={node}"));
        let tasks = processes(|process| has_variable(process, &ours) && has_variable(process, &there));
        let is_step = |process: &PathBuf| name(process).starts_with("slurmstepd");
        let mut all: Vec<PathBuf> = tasks.iter().filter_map(|task| parent(task)).filter(is_step).collect();
        all.extend(tasks);
        all
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Steps do not end with the daemon that started them.
        let ours = format!("SLURM_CONF={}", self.config);
        let mut steps = self.on("n0");
        steps.extend(self.on("n1"));
        steps.extend(processes(|process| has_variable(process, &ours) && name(process).starts_with("slurmstepd")));
        kill(&steps);
    }
}

#[test]
fn slurm_completes_a_study_though_a_node_is_lost() {
    if let Err(why) = install() {
        return skipped(&why);
    }
    let (place, hash) = begun();
    let out = place.path().join("out");
    let mut cluster = Cluster::start(place.path());
    let submit = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_urbis"));
        command.args(["batch", "submit", "study.toml", "--out", "out", "--engine", "slurm", "--max-array-size", "8"]);
        let variables = [("SLURM_CONF", cluster.config.as_str()), ("PATH", PATH)];
        let output = command.current_dir(place.path()).envs(variables).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains("1 of 12 runs are done"), "{said}");
        String::from_utf8(output.stdout).unwrap()
    };
    let told = submit();
    print!("{told}");
    assert!(told.starts_with("11 runs submitted to Slurm: job 1, 2, then job 3 for what is left\n"), "{told}");
    for (file, array) in [("slurm-0.sh", "--array=0-2,4-7"), ("slurm-8.sh", "--array=0-3")] {
        let script = std::fs::read_to_string(out.join("study").join(file)).unwrap();
        assert!(script.lines().any(|line| line == format!("#SBATCH {array}")), "{script}");
    }

    let is_run = |process: &PathBuf| name(process) == "urbis";
    wait_until("a run on the second node, and two that are done", &|| cluster.tell(), &mut || {
        let runs = || cluster.on("n1").into_iter().filter(is_run).collect::<Vec<_>>();
        done(place.path()) >= 3 && hold(&runs())
    });
    cluster.nodes[1].kill();
    let lost = cluster.on("n1");
    kill(&lost);
    println!("node n1 lost with {} processes after {} runs", lost.len(), done(place.path()));
    assert!(done(place.path()) < 12);

    wait_until("the end of the last job", &|| cluster.tell(), &mut || {
        // Slurm lets a task that lost its node wait for two minutes; an operator need not.
        let waiting = cluster.call("squeue", &["-h", "-t", "PD", "-o", "%i %r"]).unwrap_or_default();
        for task in waiting.lines().filter_map(|line| line.strip_suffix(" BeginTime")) {
            // It may have begun meanwhile.
            let _ = cluster.call("scontrol", &["update", &format!("JobId={task}"), "StartTime=now"]);
        }
        let state = cluster.call("squeue", &["-h", "-t", "all", "-j", "3", "-o", "%T"]).unwrap_or_default();
        assert!(
            ["PENDING", "RUNNING", "COMPLETING", "COMPLETED", ""].contains(&state.trim()),
            "{state}{}",
            cluster.tell()
        );
        state.trim() == "COMPLETED"
    });
    let jobs = cluster.call("scontrol", &["show", "job"]).unwrap();
    let restarted = jobs.matches("Restarts=").count() - jobs.matches("Restarts=0").count();
    println!("{restarted} tasks were started again; nodes: {}", cluster.call("sinfo", &["-h", "-o", "%T %D"]).unwrap());
    assert!(restarted >= 1, "{jobs}");
    assert!(out.join("logs/slurm-3-finish.log").is_file() && out.join("logs/slurm-1_0.log").is_file());
    ended(place.path(), &hash, &["--engine", "slurm"]);
}
