//! The job files of `urbis batch submit`: one task for each run that is missing, in the words of Slurm, HyperQueue and
//! Kubernetes. Everything is text here; nothing is written or started.
//!
//! A task says which row it runs with `--index`, whatever else numbers tasks around it.

use crate::batch::INDEX_VARIABLES;
use crate::screen::shell_word;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Longest list of rows in one argument; Linux takes 128 KiB.
const LONGEST_ARRAY: usize = 100_000;
/// Most pods at a time unless told otherwise: a cluster's scheduler looks at all of them.
const PODS_AT_ONCE: u32 = 100;

/// What the job files of a study say.
#[derive(Debug)]
pub(crate) struct Work {
    /// The program as the machines find it.
    pub(crate) program: String,
    /// Name of the study.
    pub(crate) name: String,
    /// File of the study, from the root.
    pub(crate) study: String,
    /// Folder of the results, from the root.
    pub(crate) out: String,
    /// Threads of each run.
    pub(crate) threads: u16,
    /// Memory of each run.
    pub(crate) memory_mib: Option<u64>,
    /// After so many minutes the engine ends a run.
    pub(crate) time_limit_min: Option<u32>,
    /// Most runs at a time.
    pub(crate) parallel: Option<u32>,
    /// How often a run is started again.
    pub(crate) retries: u32,
    /// More words for the engine.
    pub(crate) extra: Vec<String>,
}

/// Where a pod finds what.
#[derive(Debug)]
pub(crate) struct Pod<'a> {
    /// Image with the program.
    pub(crate) image: &'a str,
    /// Claim on the volume.
    pub(crate) claim: &'a str,
    /// Where it is mounted.
    pub(crate) mount: &'a str,
    /// Runs that are missing.
    pub(crate) runs: usize,
    /// File with a task and its row on each line.
    pub(crate) rows: &'a str,
}

impl Work {
    fn job_name(&self) -> String {
        format!("urbis-{}", self.name)
    }
    /// The words that run a row once `--index` and a number follow, or what is missing otherwise.
    fn words(&self) -> Vec<String> {
        let threads = self.threads.to_string();
        [&self.program, "batch", "run", &self.study, "--out", &self.out, "--threads", &threads]
            .map(str::to_owned)
            .into()
    }
    fn command(&self) -> String {
        shell_line(&self.words())
    }

    /// Slurm's script for the rows `offset + n`, `n` of `tasks`.
    pub(crate) fn slurm_array(&self, offset: usize, tasks: &[usize]) -> String {
        let at_once = self.parallel.map_or_else(String::new, |at_once| format!("%{at_once}"));
        let array = format!("--array={}{at_once}", ranges(tasks));
        let index = if offset == 0 { "$SLURM_ARRAY_TASK_ID" } else { &format!("$(({offset} + SLURM_ARRAY_TASK_ID))") };
        let text = self.slurm(&self.job_name(), "slurm-%A_%a.log", Some(array));
        format!("{text}exec {} --index \"{index}\"\n", self.command())
    }

    /// Slurm's script that does what the arrays before it left.
    pub(crate) fn slurm_finish(&self) -> String {
        let text = self.slurm(&format!("{}-finish", self.job_name()), "slurm-%j-finish.log", None);
        // Slurm passes on what the shell of the submission has.
        let unset = INDEX_VARIABLES.join(" ");
        format!("{text}unset {unset}\nexec {} --jobs 1 --resume\n", self.command())
    }

    fn slurm(&self, name: &str, log: &str, array: Option<String>) -> String {
        // Slurm reads % as the start of a pattern.
        let log = format!("{}/logs/{log}", self.out.replace('%', "%%"));
        let own = [
            Some(format!("--job-name={name}")),
            array,
            Some("--requeue".to_owned()),
            Some("--open-mode=append".to_owned()),
            Some(format!("--output={log}")),
            Some(format!("--cpus-per-task={}", self.threads)),
            self.memory_mib.map(|memory_mib| format!("--mem={memory_mib}M")),
            self.time_limit_min.map(|minutes| format!("--time={minutes}")),
        ];
        let mut text = format!("#!/bin/sh\n# Runs of the study {}, written by `urbis batch submit`.\n", self.name);
        for option in own.into_iter().flatten() {
            text += &format!("#SBATCH {}\n", shell_word(&option));
        }
        for option in &self.extra {
            text += &format!("#SBATCH {option}\n");
        }
        text
    }

    /// Arguments of `hq`, one list for each job.
    pub(crate) fn hyperqueue(&self, rows: &[usize]) -> Vec<Vec<String>> {
        let (out, job_name) = (&self.out, self.job_name());
        let own = |array: String| {
            [
                Some("--output-mode=quiet".to_owned()),
                Some("submit".to_owned()),
                Some(format!("--name={job_name}")),
                Some(format!("--array={array}")),
                Some(format!("--cpus={}", self.threads)),
                self.memory_mib.map(|memory_mib| format!("--resource=mem={memory_mib}")),
                self.time_limit_min.map(|minutes| format!("--time-limit={minutes}min")),
                // So often may machines be lost below a run until it has failed; 0 would be for ever.
                Some(format!("--crash-limit={}", self.retries + 1)),
                Some("--stdout=none".to_owned()),
                Some(format!("--stderr={out}/logs/hq-%{{JOB_ID}}-%{{TASK_ID}}-%{{INSTANCE_ID}}.log")),
            ]
        };
        let task = ["--", "sh", "-c", "exec \"$@\" --index \"$HQ_TASK_ID\"", "sh"].map(str::to_owned);
        let job = |array: String| {
            let words = own(array).into_iter().flatten().chain(self.extra.iter().cloned());
            words.chain(task.iter().cloned()).chain(self.words()).collect()
        };
        arrays(rows, LONGEST_ARRAY).into_iter().map(job).collect()
    }

    /// The shell script that does what `urbis batch submit` did.
    pub(crate) fn hyperqueue_script(&self, jobs: &[Vec<String>]) -> String {
        let mut text = format!("#!/bin/sh -e\n# Runs of the study {}, written by `urbis batch submit`.\n", self.name);
        for words in jobs {
            text += &format!("hq {}\n", shell_line(words));
        }
        text
    }

    /// Kubernetes' manifest: an Indexed Job with a pod for each run.
    pub(crate) fn kubernetes(&self, pod: &Pod<'_>) -> String {
        // JSON's strings are YAML's too.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        // Names of pods are the job's, five signs and the index, 63 signs in all.
        let mut name: String = self.job_name().replace('_', "-").chars().take(40).collect();
        name.truncate(name.trim_end_matches('-').len());
        let Pod { image, claim, mount, runs, rows } = pod;
        // No `$(`, which Kubernetes would read.
        let command = format!(
            "while read -r task row; do [ \"$task\" != \"$JOB_COMPLETION_INDEX\" ] || exec {} --index \"$row\" \
             < /dev/null; done < {}; echo \"no row for task $JOB_COMPLETION_INDEX\" >&2; exit 2",
            self.command(),
            shell_word(rows)
        );
        let parallel = self.parallel.unwrap_or(PODS_AT_ONCE).min(u32::try_from(*runs).unwrap_or(u32::MAX));
        let (retries, threads) = (self.retries, self.threads);
        let deadline = self
            .time_limit_min
            .map_or_else(String::new, |minutes| format!("      activeDeadlineSeconds: {}\n", u64::from(minutes) * 60));
        let resources = match self.memory_mib {
            Some(memory_mib) => format!(
                "            requests: {{cpu: \"{threads}\", memory: \"{memory_mib}Mi\"}}\n            limits: \
                 {{memory: \"{memory_mib}Mi\"}}\n"
            ),
            None => format!("            requests: {{cpu: \"{threads}\"}}\n"),
        };
        format!(
            "# Runs of the study {study}, a pod each, written by `urbis batch submit`.
# kubectl create -f THIS_FILE
apiVersion: batch/v1
kind: Job
metadata:
  generateName: {name}-
  labels: {{app.kubernetes.io/name: urbis}}
spec:
  completionMode: Indexed
  completions: {runs}
  parallelism: {parallel}
  backoffLimitPerIndex: {retries}
  podFailurePolicy:
    rules:
      - action: Ignore             # a lost machine is not the run's failure
        onPodConditions: [{{type: DisruptionTarget, status: \"True\"}}]
  template:
    metadata:
      labels: {{app.kubernetes.io/name: urbis}}
    spec:
      restartPolicy: Never
{deadline}      containers:
        - name: urbis
          image: {image}
          command: [sh, -c, {command}]
          resources:
{resources}          volumeMounts:
            - {{name: work, mountPath: {mount}}}
      volumes:
        - name: work
          persistentVolumeClaim: {{claimName: {claim}}}
",
            study = self.name,
            image = quoted(image),
            command = quoted(&command),
            mount = quoted(mount),
            claim = quoted(claim),
        )
    }
}

/// Words as one line of a shell.
pub(crate) fn shell_line(words: &[String]) -> String {
    words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
}

/// The lines `<task> <row>` that tell a pod its row.
pub(crate) fn pod_rows(rows: &[usize]) -> String {
    rows.iter().enumerate().fold(String::new(), |mut text, (task, row)| {
        // Text takes everything.
        let _ = writeln!(text, "{task} {row}");
        text
    })
}

/// Rows by arrays of Slurm, which number their tasks below `size`: what is to be added to a task, and the tasks.
pub(crate) fn slurm_arrays(rows: &[usize], size: usize) -> BTreeMap<usize, Vec<usize>> {
    let mut arrays: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for row in rows {
        let task = row % size;
        arrays.entry(row - task).or_default().push(task);
    }
    arrays
}

/// Ascending numbers as `0-3,7,9-10`.
fn ranges(rows: &[usize]) -> String {
    let one = |run: &[usize]| match run {
        [first, .., last] => format!("{first}-{last}"),
        _ => run.iter().map(ToString::to_string).collect(),
    };
    rows.chunk_by(|a, b| a + 1 == *b).map(one).collect::<Vec<_>>().join(",")
}

/// [`ranges`], cut where they would be longer than so many signs.
fn arrays(rows: &[usize], longest: usize) -> Vec<String> {
    let mut arrays: Vec<String> = Vec::new();
    let all = ranges(rows);
    for range in all.split(',') {
        match arrays.last_mut() {
            Some(last) if last.len() + range.len() < longest => {
                last.push(',');
                last.push_str(range);
            }
            _ => arrays.push(range.to_owned()),
        }
    }
    arrays
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work() -> Work {
        Work {
            program: "/opt/urbis".into(),
            name: "town".into(),
            study: "/w/my study.toml".into(),
            out: "/w/50%".into(),
            threads: 2,
            memory_mib: Some(1536),
            time_limit_min: Some(90),
            parallel: Some(4),
            retries: 3,
            extra: vec!["--qos=long".into()],
        }
    }

    #[test]
    fn rows_are_told_in_ranges() {
        assert_eq!(ranges(&[0, 1, 2, 3, 7, 9, 10]), "0-3,7,9-10");
        assert_eq!(ranges(&[5]), "5");
        assert_eq!(arrays(&[0, 2, 4, 6, 7], 6), ["0,2,4", "6-7"]);
        let scattered: Vec<usize> = (0..50_000).map(|row| 2 * row).collect();
        let cut = arrays(&scattered, LONGEST_ARRAY);
        assert!(cut.len() > 1 && cut.iter().all(|array| array.len() <= LONGEST_ARRAY));
        assert_eq!(cut.join(","), ranges(&scattered));
        let arrays = slurm_arrays(&[0, 9, 10, 12, 31], 10);
        assert_eq!(arrays, BTreeMap::from([(0, vec![0, 9]), (10, vec![0, 2]), (30, vec![1])]));
        assert_eq!(pod_rows(&[3, 8]), "0 3\n1 8\n");
    }

    #[test]
    fn slurm_is_told_rows_cores_memory_and_where_to_write() {
        let text = work().slurm_array(0, &[0, 1, 5]);
        for line in [
            "#SBATCH --job-name=urbis-town",
            "#SBATCH --array=0-1,5%4",
            "#SBATCH --requeue",
            "#SBATCH --output=/w/50%%/logs/slurm-%A_%a.log",
            "#SBATCH --cpus-per-task=2",
            "#SBATCH --mem=1536M",
            "#SBATCH --time=90",
            "#SBATCH --qos=long",
            "exec /opt/urbis batch run '/w/my study.toml' --out /w/50% --threads 2 --index \"$SLURM_ARRAY_TASK_ID\"",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
        assert!(work().slurm_array(1000, &[0]).ends_with("--index \"$((1000 + SLURM_ARRAY_TASK_ID))\"\n"));
        let finish = work().slurm_finish();
        assert!(!finish.contains("--array") && finish.ends_with("--threads 2 --jobs 1 --resume\n"), "{finish}");
    }

    #[test]
    fn hyperqueue_is_told_the_same() {
        let jobs = work().hyperqueue(&[0, 1, 5]);
        let script = work().hyperqueue_script(&jobs);
        let line = "hq --output-mode=quiet submit --name=urbis-town --array=0-1,5 --cpus=2 --resource=mem=1536 \
                    --time-limit=90min --crash-limit=4 --stdout=none \
                    '--stderr=/w/50%/logs/hq-%{JOB_ID}-%{TASK_ID}-%{INSTANCE_ID}.log' --qos=long -- sh -c \
                    'exec \"$@\" --index \"$HQ_TASK_ID\"' sh /opt/urbis batch run '/w/my study.toml' --out /w/50% \
                    --threads 2";
        assert_eq!(script.lines().nth(2), Some(line));
    }
}
