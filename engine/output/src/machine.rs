//! What computed a run: facts of the computer for table `runs`. Nothing else reads them, so results
//! cannot depend on them. Known on Linux, from `/proc`; elsewhere zero or empty.

/// Largest resident memory of this process so far, bytes; 0 where the system does not tell.
#[must_use]
pub fn peak_memory_bytes() -> u64 {
    std::fs::read_to_string("/proc/self/status").ok().and_then(|status| peak_of(&status)).unwrap_or(0)
}

fn peak_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Operating system and architecture, such as `linux x86_64`.
#[must_use]
pub fn os() -> String {
    format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)
}

/// Processor as it names itself; empty where the system does not tell.
#[must_use]
pub fn cpu() -> String {
    std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|info| model_of(&info)).unwrap_or_default()
}

fn model_of(info: &str) -> Option<String> {
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_understood() {
        assert_eq!(peak_of("Name:\tx\nVmHWM:\t   2048 kB\nVmRSS:\t 1 kB\n"), Some(2 << 20));
        assert_eq!(peak_of("Name:\tx\n"), None);
        assert_eq!(model_of("processor\t: 0\nmodel name\t: A Chip\n"), Some("A Chip".into()));
        if cfg!(target_os = "linux") {
            assert!(peak_memory_bytes() > 100_000);
        }
    }
}
