//! Runs side by side, each a process of its own: what crashes or runs out of memory takes nobody along, and one row on a
//! cluster is the very same thing.
//!
//! The first run starts alone until it has made its people and steps; from then on as many run as fit into memory,
//! by the largest one seen so far. Where the system does not tell how much a process holds, only the number of jobs
//! counts. When the batch dies, its runs see their standard input end, and stop.

use crate::batch::BatchRunArguments;
use crate::screen::{say, stderr_is_terminal};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use urbis_core::{Error, Result};

/// How often the batch looks at memory and at a wish to stop.
const LOOK: Duration = Duration::from_millis(200);
/// Share of the free memory that runs may take unless told otherwise.
const FREE_SHARE: f64 = 0.8;
/// What a run says when it has made everything and begins to step.
const STEPS: &str = "stepping";

/// A run to be done.
pub(crate) struct Job {
    pub(crate) index: usize,
    pub(crate) name: String,
}

/// What may run at once.
pub(crate) struct Limits {
    pub(crate) jobs: usize,
    pub(crate) memory_bytes: Option<u64>,
}

/// What a run says, and its end.
enum News {
    Line(usize, String),
    /// Standard error has ended.
    Ended(usize),
}

struct Running {
    index: usize,
    child: Child,
    bar: ProgressBar,
    steps: bool,
    errors: String,
}

/// Runs jobs in order, so many at once; what failed, with what it said.
///
/// # Errors
/// When a process cannot be started.
pub(crate) fn run(
    jobs: &[Job],
    limits: &Limits,
    command: &dyn Fn(usize) -> Vec<OsString>,
    arguments: &BatchRunArguments,
    stop: &AtomicBool,
) -> Result<Vec<(usize, String)>> {
    let program = std::env::current_exe().map_err(|source| Error::read(Path::new("this program"), source))?;
    let screen = Screen::new(jobs.len(), arguments.is_quiet());
    let (sender, receiver) = channel();
    let mut waiting = jobs.iter();
    let mut next = waiting.next();
    let mut running: Vec<Running> = Vec::new();
    let mut failed = Vec::new();
    let mut largest = 0;
    let free_bytes = available_bytes().map(|free| (free as f64 * FREE_SHARE) as u64);
    let memory_bytes = limits.memory_bytes.or(free_bytes);
    loop {
        let is_stopped = stop.load(Ordering::Relaxed) || (arguments.fails_fast() && !failed.is_empty());
        for of in running.iter().filter(|of| of.steps) {
            largest = largest.max(peak_bytes(of.child.id()).unwrap_or(0));
        }
        while let Some(job) = next.filter(|_| !is_stopped && running.len() < limits.jobs) {
            let steps = running.iter().all(|of| of.steps) || largest > 0;
            let fits = memory_bytes.is_none_or(|limit| largest * (running.len() as u64 + 1) <= limit);
            if !running.is_empty() && !(steps && fits) {
                break;
            }
            running.push(start(&program, job, command(job.index), &sender, &screen)?);
            next = waiting.next();
        }
        if running.is_empty() {
            break;
        }
        match receive(&receiver) {
            Some(News::Line(index, line)) => {
                if let Some(of) = running.iter_mut().find(|of| of.index == index) {
                    of.steps |= line.starts_with(STEPS);
                    if line.starts_with("error") || !of.errors.is_empty() {
                        of.errors += &format!("{line}\n");
                    }
                    of.bar.set_message(line);
                }
            }
            Some(News::Ended(index)) => {
                let Some(at) = running.iter().position(|of| of.index == index) else { continue };
                let mut of = running.swap_remove(at);
                let status = of.child.wait().map_err(|source| Error::read(&program, source))?;
                let name = jobs.iter().find(|job| job.index == index).map_or("", |job| &job.name);
                let why = if of.errors.is_empty() { format!("ended with {status}") } else { of.errors };
                screen.ended(&of.bar, name, status.success().then_some(()).ok_or(why.as_str()));
                if !status.success() {
                    failed.push((index, why));
                }
            }
            None => {}
        }
    }
    screen.finish();
    failed.sort();
    Ok(failed)
}

fn receive(receiver: &Receiver<News>) -> Option<News> {
    match receiver.recv_timeout(LOOK) {
        Ok(news) => Some(news),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
    }
}

fn start(program: &Path, job: &Job, command: Vec<OsString>, sender: &Sender<News>, screen: &Screen) -> Result<Running> {
    let mut child = Command::new(program)
        .args(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| Error::read(program, source))?;
    let index = job.index;
    if let Some(errors) = child.stderr.take() {
        let sender = sender.clone();
        std::thread::spawn(move || {
            let mut errors = BufReader::new(errors);
            let mut line = Vec::new();
            while errors.by_ref().read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                // The batch hears of the end even when it no longer listens to lines.
                if sender.send(News::Line(index, text)).is_err() {
                    return;
                }
                line.clear();
            }
            let _ = sender.send(News::Ended(index));
        });
    }
    Ok(Running { index, child, bar: screen.started(&job.name), steps: false, errors: String::new() })
}

/// One line for each run that runs, and a bar for all; plain lines where nobody sits at a terminal.
struct Screen {
    lines: Option<MultiProgress>,
    all: ProgressBar,
    is_quiet: bool,
}

impl Screen {
    fn new(jobs: usize, is_quiet: bool) -> Self {
        let lines = (stderr_is_terminal() && !is_quiet).then(MultiProgress::new);
        let all = match &lines {
            Some(lines) => lines.add(ProgressBar::new(jobs as u64)),
            None => ProgressBar::hidden(),
        };
        all.set_length(jobs as u64);
        if let Ok(style) = ProgressStyle::with_template("{pos}/{len} runs {bar:30} {elapsed} elapsed, {eta} left") {
            all.set_style(style);
        }
        all.enable_steady_tick(Duration::from_secs(1));
        Self { lines, all, is_quiet }
    }
    fn started(&self, name: &str) -> ProgressBar {
        let Some(lines) = &self.lines else { return ProgressBar::hidden() };
        let bar = lines.insert_before(&self.all, ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{prefix:24} {elapsed:>5} {wide_msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(500));
        bar
    }
    fn ended(&self, bar: &ProgressBar, name: &str, how: Result<(), &str>) {
        bar.finish_and_clear();
        self.all.inc(1);
        let text = match how {
            Ok(()) => format!("{name}: done"),
            Err(why) => format!("{name}: failed: {}", why.lines().next().unwrap_or("")),
        };
        match &self.lines {
            Some(lines) => drop(lines.println(text)),
            None if !self.is_quiet => {
                say(&format!("{}/{} {text}", self.all.position(), self.all.length().unwrap_or(0)))
            }
            None => {}
        }
    }
    fn finish(&self) {
        self.all.finish_and_clear();
    }
}

/// A figure in kB of a file of `/proc`, in bytes.
fn kilobytes(path: &str, key: &str) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
    rest.trim_start_matches(':').split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Most memory that a process has held so far.
fn peak_bytes(process: u32) -> Option<u64> {
    kilobytes(&format!("/proc/{process}/status"), "VmHWM")
}

/// Memory that is free for the taking.
fn available_bytes() -> Option<u64> {
    kilobytes("/proc/meminfo", "MemAvailable")
}
