//! Processes of an engine, which end with the test however it ends.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A process that the kernel ends when this thread does, and that is gone when the handle is dropped.
pub(crate) struct Daemon(Child);

impl Daemon {
    /// Starts it; what it says goes to a file.
    pub(crate) fn start(program: &str, arguments: &[&str], variables: &[(&str, &str)], log: &Path) -> Self {
        let said = File::create(log).unwrap();
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", program])
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(said.try_clone().unwrap())
            .stderr(said)
            .spawn()
            .unwrap();
        Self(child)
    }
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
    /// Ends it without mercy.
    pub(crate) fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Processes of which this holds.
pub(crate) fn processes(holds: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let of = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.ok()?.path();
        path.file_name()?.to_str()?.parse::<u32>().ok()?;
        holds(&path).then_some(path)
    };
    std::fs::read_dir("/proc").unwrap().filter_map(of).collect()
}

/// Whether a process was started with this variable.
pub(crate) fn has_variable(process: &Path, variable: &str) -> bool {
    let variables = std::fs::read(process.join("environ")).unwrap_or_default();
    variables.split(|byte| *byte == 0).any(|found| found == variable.as_bytes())
}

/// The parent of a process.
pub(crate) fn parent(process: &Path) -> Option<PathBuf> {
    let status = std::fs::read_to_string(process.join("status")).ok()?;
    let id = status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().to_owned();
    Some(Path::new("/proc").join(id))
}

/// The name of a process's program, cut as the kernel does.
pub(crate) fn name(process: &Path) -> String {
    std::fs::read_to_string(process.join("comm")).unwrap_or_default().trim().to_owned()
}

/// Ends processes without mercy, in this order.
pub(crate) fn kill(processes: &[PathBuf]) {
    signal("-KILL", processes);
}

/// Holds processes where they are; whether one of them is alive, and so cannot end before it is killed.
pub(crate) fn hold(processes: &[PathBuf]) -> bool {
    signal("-STOP", processes);
    let is_held = |process: &PathBuf| {
        let status = std::fs::read_to_string(process.join("status")).unwrap_or_default();
        status.lines().any(|line| line.starts_with("State:\tT"))
    };
    processes.iter().any(is_held)
}

/// Lets held processes go on.
pub(crate) fn release(processes: &[PathBuf]) {
    signal("-CONT", processes);
}

fn signal(signal: &str, processes: &[PathBuf]) {
    let ids: Vec<_> = processes.iter().filter_map(|process| process.file_name()).collect();
    if !ids.is_empty() {
        let _ = Command::new("kill").arg(signal).args(ids).stderr(Stdio::null()).status();
    }
}

/// The end of every file in a folder, for when something does not come about.
pub(crate) fn logs(folder: &Path) -> String {
    let mut told = String::new();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(|path| path.is_file()) {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        told += &format!("== {}\n{}\n", path.display(), lines[lines.len().saturating_sub(20)..].join("\n"));
    }
    told
}
