//! `urbis batch submit`: what a results folder lacks of a study, handed to an engine that has more than one machine.
//!
//! The engine starts, watches and repeats the runs; each of them is `urbis batch run --index`, which does nothing when its
//! row is done and puts its results into the shared folder whole. So whatever an engine loses, submitting again completes.

use crate::batch::{Manifest, gibibytes};
use crate::batch_engines::{Pod, Work, pod_rows, shell_line, slurm_arrays};
use crate::batch_out::{Out, STUDY, url_of};
use crate::screen::{print, say, shell_word};
use clap::{Args, ValueEnum, ValueHint};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use urbis_core::files::{create_folder, write_whole};
use urbis_core::hash::sha256_hex;
use urbis_core::{Error, Problem, Problems, Result};

/// Slurm's own largest array, for where it cannot be asked.
const SLURM_ARRAY_SIZE: usize = 1001;
/// How often a run is started again, unless told otherwise.
const RETRIES: u32 = 3;
const INSTALL_SLURM: &str = "run this on a machine of the cluster (Debian and Ubuntu: apt install slurm-client), or write \
                             the job files alone with --dry-run";
const INSTALL_HYPERQUEUE: &str = "HyperQueue is one program, hq, from https://it4innovations.github.io/hyperqueue; or write \
                                  the job file alone with --dry-run";

/// What runs the runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// An array job, and one after it for what is left (sbatch)
    Slurm,
    /// A task array (hq)
    Hyperqueue,
    /// The manifest of an Indexed Job, for kubectl
    Kubernetes,
}

impl Engine {
    fn name(self) -> &'static str {
        match self {
            Self::Slurm => "slurm",
            Self::Hyperqueue => "hyperqueue",
            Self::Kubernetes => "kubernetes",
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Only runs that the results lack are submitted, so that after losses the same command does the
rest. STUDY, its scenarios, the city and DIR lie in a folder that all machines share under the same
name. Job files go to DIR/study, what runs say to DIR/logs (Kubernetes: kubectl logs). This builds
the city once, before anything runs.

slurm       slurm-<row>.sh for each array; after them slurm-finish.sh runs what is left
hyperqueue  hyperqueue.sh; if runs failed, this again or `urbis batch run --resume`
kubernetes  kubernetes.yaml for `kubectl create -f`; needs --image, --claim, --mount; then as above

Exit codes: 0 submitted, or written with --dry-run, or nothing is missing; 2 bad input, or the
engine is not there or refuses. How runs end: `urbis batch status`.

Examples:
  urbis batch submit scenarios/town/study.toml --out out/study --engine slurm --memory-gib 2
  urbis batch submit scenarios/town/study.toml --out out/study --engine slurm --time-limit-min 60 \\
    --partition short --extra=--qos=low
  urbis batch submit scenarios/town/study.toml --out out/study --engine hyperqueue --threads 2
  urbis batch submit /work/town/study.toml --out /work/out --engine kubernetes \\
    --image registry/urbis:0.1.0 --claim shared --mount /work")]
pub(crate) struct SubmitArguments {
    /// Study (TOML)
    #[arg(value_hint = ValueHint::FilePath)]
    study: PathBuf,
    /// Folder of the results; what is done in it is kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: PathBuf,
    /// What runs them
    #[arg(long, value_enum)]
    engine: Engine,
    /// Write the job files and say what would be called
    #[arg(long, visible_alias = "write-only")]
    dry_run: bool,
    /// Threads of each run, and cores asked for
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Memory asked for each run [default: what the engine gives]
    #[arg(long, value_name = "GIB", value_parser = gibibytes)]
    memory_gib: Option<f64>,
    /// Minutes after which the engine ends a run [default: what the engine says]
    #[arg(long, value_name = "MIN", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    time_limit_min: Option<u32>,
    /// Most runs at a time: Slurm (of each array), Kubernetes [default: as many as there is room for; Kubernetes: 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    parallel: Option<u32>,
    /// How often a run starts again: HyperQueue, when machines are lost; Kubernetes, when it fails [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1000))]
    retries: Option<u32>,
    /// Partition: Slurm
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
    /// Account that pays: Slurm
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Largest array: Slurm [default: what `scontrol show config` says, else 1001]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_array_size: Option<u32>,
    /// One more option for sbatch or hq submit, as it stands; may be repeated
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    extra: Vec<String>,
    /// Image that has this version of urbis and a shell: Kubernetes
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// Claim on the volume that holds study, city and results: Kubernetes
    #[arg(long, value_name = "NAME")]
    claim: Option<String>,
    /// Where that volume is mounted, here and in the pods: Kubernetes
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    mount: Option<PathBuf>,
}

/// A path from the root, in the words of a job file.
fn whole(path: &Path) -> Result<String> {
    let path = std::path::absolute(path).map_err(|source| Error::read(path, source))?;
    match path.to_str() {
        Some(text) if !text.chars().any(char::is_control) => Ok(text.to_owned()),
        _ => {
            let what = "cannot stand in a job file, expected text without line ends";
            Err(Problem::file(&path, what).with_help("give the folder another name").into())
        }
    }
}

impl SubmitArguments {
    /// Options that the engine does not have, or lacks.
    fn check(&self) -> Result<()> {
        use Engine::{Hyperqueue, Kubernetes, Slurm};
        let options: [(&str, bool, &[Engine]); 9] = [
            ("--parallel", self.parallel.is_some(), &[Slurm, Kubernetes]),
            ("--retries", self.retries.is_some(), &[Hyperqueue, Kubernetes]),
            ("--partition", self.partition.is_some(), &[Slurm]),
            ("--account", self.account.is_some(), &[Slurm]),
            ("--max-array-size", self.max_array_size.is_some(), &[Slurm]),
            ("--extra", !self.extra.is_empty(), &[Slurm, Hyperqueue]),
            ("--image", self.image.is_some(), &[Kubernetes]),
            ("--claim", self.claim.is_some(), &[Kubernetes]),
            ("--mount", self.mount.is_some(), &[Kubernetes]),
        ];
        let mut problems = Problems::new();
        if let Some(url) = url_of(&self.out) {
            let help = "for a store, plan there and let each task of an array of your own run one row: \
                        urbis batch run STUDY --out URL --index I";
            let what = "job files and logs go into a folder that all machines see, and this is a URL";
            problems.push(Problem::file(Path::new(url), what).with_help(help));
        }
        for (name, is_given, engines) in options {
            let names: Vec<&str> = engines.iter().map(|engine| engine.name()).collect();
            if is_given && !engines.contains(&self.engine) {
                let what = format!("not an option of {}, expected {}", self.engine.name(), names.join(" or "));
                problems.push(Problem::file(Path::new(name), what).with_help("leave it out"));
            }
            if !is_given && self.engine == Kubernetes && engines == [Kubernetes] {
                let what = "missing; pods need --image, --claim and --mount";
                let help = "such as --image registry/urbis:0.1.0 --claim shared --mount /work";
                problems.push(Problem::file(Path::new(name), what).with_help(help));
            }
        }
        let words = self.extra.iter().chain(&self.partition).chain(&self.account).chain(&self.image).chain(&self.claim);
        for word in words.filter(|word| word.chars().any(char::is_control)) {
            problems.push(Problem::file(Path::new("arguments"), format!("{word:?}, expected one line")));
        }
        problems.or_else(())
    }

    fn work(&self, manifest: &Manifest) -> Result<Work> {
        let program = match self.engine {
            // That of the image.
            Engine::Kubernetes => "urbis".to_owned(),
            Engine::Slurm | Engine::Hyperqueue => {
                let program =
                    std::env::current_exe().map_err(|source| Error::read(Path::new("this program"), source))?;
                whole(&program)?
            }
        };
        let named = [("partition", &self.partition), ("account", &self.account)];
        let named =
            named.into_iter().filter_map(|(name, value)| Some(shell_word(&format!("--{name}={}", value.as_ref()?))));
        Ok(Work {
            program,
            name: manifest.study.study.name.clone(),
            study: whole(&self.study)?,
            out: whole(&self.out)?,
            threads: self.threads,
            memory_mib: self.memory_gib.map(|gib| (gib * 1024.0).ceil() as u64),
            time_limit_min: self.time_limit_min,
            parallel: self.parallel,
            retries: self.retries.unwrap_or(RETRIES),
            extra: named.chain(self.extra.iter().cloned()).collect(),
        })
    }

    /// What to call afterwards.
    fn next(&self, work: &Work, what: &str) -> String {
        let resume = if what == "run" { " --resume" } else { "" };
        let words = [&work.study, "--out", &work.out].map(shell_word).join(" ");
        format!("urbis batch {what} {words}{resume}")
    }
}

/// Writes the job files, and submits them.
pub(crate) fn submit(arguments: &SubmitArguments) -> Result<()> {
    arguments.check()?;
    let manifest = Manifest::prepare(&arguments.study, &mut say)?;
    let out = &arguments.out;
    let work = arguments.work(&manifest)?;
    let pods = (arguments.engine == Engine::Kubernetes).then(|| mount(arguments, &manifest)).transpose()?;
    let results = Out::Folder(out.clone());
    let missing = manifest.missing(&results.standing()?.finished);
    let runs = manifest.rows.len();
    say(&format!("{} of {runs} runs are done", runs - missing.len()));
    if missing.is_empty() {
        return print(&format!("nothing to submit: {runs} runs are done: {}\n", out.display()));
    }
    manifest.write(&results)?;
    if pods.is_none() {
        create_folder(&out.join("logs"))?;
    }
    match (arguments.engine, pods) {
        (Engine::Slurm, _) => slurm(arguments, &work, &missing),
        (Engine::Hyperqueue, _) => hyperqueue(arguments, &work, &missing),
        (Engine::Kubernetes, mount) => kubernetes(arguments, &work, &missing, &mount.unwrap_or_default()),
    }
}

fn slurm(arguments: &SubmitArguments, work: &Work, missing: &[usize]) -> Result<()> {
    let folder = arguments.out.join(STUDY);
    remove_slurm_files(&folder)?;
    let size = arguments.max_array_size.map_or_else(largest_array, |size| size as usize);
    let mut scripts = Vec::new();
    for (offset, tasks) in slurm_arrays(missing, size) {
        let path = folder.join(format!("slurm-{offset}.sh"));
        write_whole(&path, work.slurm_array(offset, &tasks).as_bytes())?;
        scripts.push(path);
    }
    let finish = folder.join("slurm-finish.sh");
    write_whole(&finish, work.slurm_finish().as_bytes())?;
    let script = |path: &Path| path.as_os_str().to_owned();
    if arguments.dry_run {
        let calls = scripts.iter().map(|path| format!("sbatch --parsable {}\n", shell_word(&path.to_string_lossy())));
        let finish = shell_word(&finish.to_string_lossy());
        let ids = vec!["ID"; scripts.len()].join(":");
        return print(&format!(
            "{}sbatch --dependency=afterany:{ids} {finish}    # the ids that the calls before print\n",
            calls.collect::<String>()
        ));
    }
    let mut ids: Vec<String> = Vec::new();
    for path in &scripts {
        let words = ["--parsable".into(), script(path)];
        let told = call("sbatch", &words, INSTALL_SLURM, &submitted("scancel", &ids))?;
        // A cluster's name may follow the id.
        ids.push(told.trim().split(';').next().unwrap_or_default().to_owned());
    }
    let after = format!("--dependency=afterany:{}", ids.join(":"));
    let words = ["--parsable".into(), after.into(), script(&finish)];
    let last = call("sbatch", &words, INSTALL_SLURM, &submitted("scancel", &ids))?;
    print(&format!(
        "{} runs submitted to Slurm: job {}, then job {} for what is left\nnext     squeue --job {}\nafter    {}\n",
        missing.len(),
        ids.join(", "),
        last.trim(),
        ids.join(","),
        arguments.next(work, "status"),
    ))
}

/// Removes the files of an earlier submission, which had other rows. Slurm keeps copies of what it was given.
fn remove_slurm_files(folder: &Path) -> Result<()> {
    let failed = |source| Error::write(folder, source);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with("slurm-") && name.ends_with(".sh")) {
            std::fs::remove_file(entry.path()).map_err(failed)?;
        }
    }
    Ok(())
}

/// The largest array that Slurm takes here.
fn largest_array() -> usize {
    let config = Command::new("scontrol").args(["show", "config"]).stdin(Stdio::null()).output();
    let text = config.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let line = text.lines().find_map(|line| line.trim().strip_prefix("MaxArraySize"));
    let size = line.and_then(|rest| rest.trim_start_matches([' ', '=']).trim().parse().ok());
    size.filter(|size| *size > 0).unwrap_or(SLURM_ARRAY_SIZE)
}

fn hyperqueue(arguments: &SubmitArguments, work: &Work, missing: &[usize]) -> Result<()> {
    if work.out.contains(':') || work.out.contains("%{") {
        let what = "HyperQueue reads `:` and `%{` in the names of folders, expected none";
        return Err(Problem::file(&arguments.out, what).with_help("choose another results folder").into());
    }
    let jobs = work.hyperqueue(missing);
    let path = arguments.out.join(STUDY).join("hyperqueue.sh");
    write_whole(&path, work.hyperqueue_script(&jobs).as_bytes())?;
    if arguments.dry_run {
        return print(&format!("sh {}\n", shell_word(&path.to_string_lossy())));
    }
    let mut ids: Vec<String> = Vec::new();
    for words in &jobs {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        ids.push(call("hq", &words, INSTALL_HYPERQUEUE, &submitted("hq job cancel", &ids))?.trim().to_owned());
    }
    let ids = ids.join(",");
    print(&format!(
        "{} runs submitted to HyperQueue: job {ids}\nnext     hq job wait {ids}\nafter    {}\n",
        missing.len(),
        arguments.next(work, "run"),
    ))
}

/// The folder where pods mount their volume; everything that a run reads or writes lies in it.
fn mount(arguments: &SubmitArguments, manifest: &Manifest) -> Result<String> {
    let mount = arguments.mount.as_deref().unwrap_or(Path::new("/"));
    let root = without_parents(&whole(mount)?);
    let mut problems = Problems::new();
    let packages: Vec<PathBuf> = manifest.study.variants.iter().map(|variant| variant.loaded.package()).collect();
    let mut places: Vec<&Path> = [arguments.study.as_path(), &arguments.out].into();
    places.extend(packages.iter().map(PathBuf::as_path));
    places.dedup();
    for place in places {
        if !without_parents(&whole(place)?).starts_with(&root) {
            let what = format!("does not lie in the volume that pods mount, expected it below {}", root.display());
            problems.push(Problem::file(place, what).with_help("put study, scenarios, city and results into --mount"));
        }
    }
    problems.or_else(())?;
    whole(mount)
}

/// A path from the root with its `..` taken out.
fn without_parents(path: &str) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            other => plain.push(other),
        }
    }
    plain
}

fn kubernetes(arguments: &SubmitArguments, work: &Work, missing: &[usize], mount: &str) -> Result<()> {
    let folder = arguments.out.join(STUDY);
    let rows = pod_rows(missing);
    // Jobs at work read theirs, so that another submission has another name.
    let rows_path = folder.join(format!("rows-{}.txt", &sha256_hex(rows.as_bytes())[..8]));
    write_whole(&rows_path, rows.as_bytes())?;
    let pod = Pod {
        image: arguments.image.as_deref().unwrap_or_default(),
        claim: arguments.claim.as_deref().unwrap_or_default(),
        mount,
        runs: missing.len(),
        rows: &whole(&rows_path)?,
    };
    let path = folder.join("kubernetes.yaml");
    write_whole(&path, work.kubernetes(&pod).as_bytes())?;
    let file = shell_word(&path.to_string_lossy());
    let next = arguments.next(work, "run");
    print(&format!("{} runs for Kubernetes\nnext     kubectl create -f {file}\nafter    {next}\n", missing.len()))
}

/// What is there already when a later call fails.
fn submitted(cancel: &str, ids: &[String]) -> String {
    if ids.is_empty() {
        return "nothing was submitted".to_owned();
    }
    format!("submitted before it: {0}; wait for them or call `{cancel} {0}`, then submit again", ids.join(" "))
}

/// Calls a program of an engine; gives what it prints.
fn call(program: &str, words: &[OsString], install: &str, so_far: &str) -> Result<String> {
    let place = Path::new(program);
    let output = match Command::new(program).args(words).stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Problem::file(place, format!("not found; {so_far}")).with_help(install).into());
        }
        Err(source) => return Err(Error::read(place, source)),
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let line: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let said = [output.stderr, output.stdout].map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()).join("\n");
    let what = format!("ended with {}: {}", output.status, said.trim());
    Err(Problem::file(place, what).with_help(format!("the call was {program} {}; {so_far}", shell_line(&line))).into())
}
