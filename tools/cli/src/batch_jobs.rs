//! Runs side by side, each a process of its own: what crashes or runs out of memory takes nobody along, and one row on a
//! cluster is the very same thing.
//!
//! The first run starts alone until it has made its people and steps; from then on as many run as fit into memory,
//! by the largest one seen so far. When they outgrow it together all the same, the youngest is taken back and started
//! again later. Where the system does not tell how much a process holds, only the number of jobs counts. When the batch
//! dies, its runs see their standard input end, and stop.

use crate::screen::{figure, say, stderr_is_terminal};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;
use urbis_core::diagnostics::ExitStatus;
use urbis_core::{Error, Result};

/// How often the batch looks at memory and at a wish to stop.
const LOOK: Duration = Duration::from_millis(200);
/// Share of the free memory that runs may take unless told otherwise.
const FREE_SHARE: f64 = 0.8;
/// What a run says when it has made everything and begins to step.
const STEPS: &str = "stepping";
/// Most lines that are kept of what a run said last.
const KEPT_LINES: usize = 30;
const MIB: f64 = 1_048_576.0;

/// A run to be done.
pub(crate) struct Job {
    pub(crate) index: usize,
    pub(crate) name: String,
}

/// What may run at once.
pub(crate) struct Limits {
    pub(crate) jobs: usize,
    /// Four fifths of what is free where absent.
    pub(crate) memory_bytes: Option<u64>,
    /// Nothing is started once a run has failed.
    pub(crate) fail_fast: bool,
}

/// How a batch went.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// What runs that failed said, by index.
    pub(crate) failed: BTreeMap<usize, String>,
    /// Most runs side by side.
    pub(crate) most: usize,
    /// Most memory that one run held, bytes; 0 where the system does not tell.
    pub(crate) largest_bytes: u64,
    /// Most memory that all held together, at any look.
    pub(crate) together_bytes: u64,
}

impl Ended {
    /// The figures in words, after a comma; nothing where nothing was measured.
    pub(crate) fn memory_text(&self) -> String {
        if self.largest_bytes == 0 {
            return String::new();
        }
        let mib = |bytes: u64| figure(bytes as f64 / MIB);
        let (most, largest, together) = (self.most, mib(self.largest_bytes), mib(self.together_bytes));
        format!(", at most {most} side by side, the largest {largest} MiB, together at most {together} MiB")
    }
}

/// What a run says, and its end.
enum News {
    Line(usize, String),
    /// Standard error has ended.
    Ended(usize),
}

/// Why the batch itself ended a run.
enum Taken {
    /// To be started again when there is room.
    Back,
    /// It alone outgrew the limit.
    TooLarge(String),
}

struct Running<'a> {
    job: &'a Job,
    child: Child,
    bar: ProgressBar,
    steps: bool,
    said: VecDeque<String>,
    taken: Option<Taken>,
}

/// Runs jobs in order, so many at once.
///
/// # Errors
/// When a process cannot be started.
pub(crate) fn run(
    jobs: &[Job],
    limits: &Limits,
    command: &dyn Fn(usize) -> Vec<OsString>,
    is_quiet: bool,
    stop: &AtomicBool,
) -> Result<Ended> {
    let program = std::env::current_exe().map_err(|source| Error::read(Path::new("this program"), source))?;
    let screen = Screen::new(jobs.len(), is_quiet);
    let (sender, receiver) = channel();
    let mut waiting: VecDeque<&Job> = jobs.iter().collect();
    let mut running: Vec<Running<'_>> = Vec::new();
    let mut ended = Ended::default();
    let free_bytes = available_bytes().map(|free| (free as f64 * FREE_SHARE) as u64);
    let memory_bytes = limits.memory_bytes.or(free_bytes);
    loop {
        ended.look(&running);
        if let Some(limit) = memory_bytes {
            keep_within(limit, limits.memory_bytes.is_some(), &mut running)?;
        }
        if stop.load(Ordering::Relaxed) {
            // Runs take the end of their input for a wish to stop.
            running.iter_mut().for_each(|of| drop(of.child.stdin.take()));
        }
        while !(stop.load(Ordering::Relaxed) || limits.fail_fast && !ended.failed.is_empty())
            && running.len() < limits.jobs
        {
            let is_known = ended.largest_bytes > 0 || running.iter().all(|of| of.steps);
            let with_one_more = ended.largest_bytes * (running.len() as u64 + 1);
            let fits = is_known && memory_bytes.is_none_or(|limit| with_one_more <= limit);
            if !running.is_empty() && !fits {
                break;
            }
            let Some(job) = waiting.pop_front() else { break };
            running.push(start(&program, job, command(job.index), &sender, &screen)?);
            ended.most = ended.most.max(running.len());
        }
        if running.is_empty() {
            break;
        }
        match receiver.recv_timeout(LOOK) {
            Ok(News::Line(index, line)) => {
                if let Some(of) = running.iter_mut().find(|of| of.job.index == index) {
                    of.says(line);
                }
            }
            Ok(News::Ended(index)) => {
                let Some(at) = running.iter().position(|of| of.job.index == index) else { continue };
                ended.look(&running);
                let mut of = running.remove(at);
                let status = of.child.wait().map_err(|source| Error::read(&program, source))?;
                if matches!(of.taken, Some(Taken::Back)) && !status.success() {
                    of.bar.finish_and_clear();
                    waiting.push_front(of.job);
                    continue;
                }
                let why = (!status.success()).then(|| of.why(&status.to_string()));
                screen.ended(&of.bar, &of.job.name, why.as_deref());
                if let Some(why) = why.filter(|_| status.code() != Some(ExitStatus::Interrupted as i32)) {
                    ended.failed.insert(index, why);
                }
            }
            Err(_) => {}
        }
    }
    screen.finish();
    Ok(ended)
}

impl Ended {
    /// Looks at what runs hold. Only those that have made everything tell how large one gets.
    fn look(&mut self, running: &[Running<'_>]) {
        for of in running.iter().filter(|of| of.steps) {
            self.largest_bytes = self.largest_bytes.max(memory_of(of, "VmHWM"));
        }
        self.together_bytes = self.together_bytes.max(running.iter().map(|of| memory_of(of, "VmRSS")).sum());
    }
}

/// Takes the youngest run back when all of them hold more than they may; a single one is ended for good, where a limit
/// was asked for.
fn keep_within(limit: u64, is_asked: bool, running: &mut [Running<'_>]) -> Result<()> {
    let together: u64 = running.iter().map(|of| memory_of(of, "VmRSS")).sum();
    let is_single = running.len() == 1;
    let Some(youngest) = running.last_mut() else { return Ok(()) };
    if together <= limit || youngest.taken.is_some() || (is_single && !is_asked) {
        return Ok(());
    }
    youngest.taken = Some(if is_single {
        let mib = |bytes: u64| figure(bytes as f64 / MIB);
        Taken::TooLarge(format!("error: it holds {} MiB, and --memory-gib allows {}", mib(together), mib(limit)))
    } else {
        Taken::Back
    });
    youngest.child.kill().map_err(|source| Error::read(Path::new("a run that is too large"), source))
}

impl Running<'_> {
    fn says(&mut self, line: String) {
        self.steps |= line.starts_with(STEPS);
        if self.said.len() == KEPT_LINES {
            self.said.pop_front();
        }
        self.said.push_back(line.clone());
        self.bar.set_message(line);
    }
    /// Why it failed: its errors, or how it ended and what it said last.
    fn why(&self, status: &str) -> String {
        if let Some(Taken::TooLarge(why)) = &self.taken {
            return why.clone();
        }
        let lines: Vec<&str> = self.said.iter().map(String::as_str).collect();
        match lines.iter().position(|line| line.starts_with("error")) {
            Some(first) => lines[first..].join("\n"),
            None => format!("ended with {status}; it said last:\n{}", lines.join("\n")),
        }
    }
}

fn start<'a>(
    program: &Path,
    job: &'a Job,
    command: Vec<OsString>,
    sender: &Sender<News>,
    screen: &Screen,
) -> Result<Running<'a>> {
    let mut child = Command::new(program)
        .args(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| Error::read(program, source))?;
    if let Some(errors) = child.stderr.take() {
        let (sender, index) = (sender.clone(), job.index);
        std::thread::spawn(move || listen(errors, index, &sender));
    }
    let bar = screen.started(&job.name);
    Ok(Running { job, child, bar, steps: false, said: VecDeque::new(), taken: None })
}

fn listen(errors: ChildStderr, index: usize, sender: &Sender<News>) {
    let mut errors = BufReader::new(errors);
    let mut line = Vec::new();
    while errors.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if sender.send(News::Line(index, text)).is_err() {
            return;
        }
        line.clear();
    }
    // Nobody listens any more when the batch itself has failed.
    let _ = sender.send(News::Ended(index));
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
    fn ended(&self, bar: &ProgressBar, name: &str, why: Option<&str>) {
        bar.finish_and_clear();
        self.all.inc(1);
        let text = match why {
            None => format!("{name}: done"),
            Some(why) => format!("{name}: failed: {}", why.lines().next().unwrap_or("")),
        };
        match &self.lines {
            Some(lines) => drop(lines.println(text)),
            None if !self.is_quiet => {
                say(&format!("{}/{} {text}", self.all.position(), self.all.length().unwrap_or(0)));
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

/// What a run holds (`VmRSS`) or has held at most (`VmHWM`), bytes; 0 where the system does not tell, or no longer.
fn memory_of(of: &Running<'_>, key: &str) -> u64 {
    kilobytes(&format!("/proc/{}/status", of.child.id()), key).unwrap_or(0)
}

/// Memory that is free for the taking.
fn available_bytes() -> Option<u64> {
    kilobytes("/proc/meminfo", "MemAvailable")
}
