//! Whatever a file holds, loading ends in a scenario or in problems, never in a panic.

use proptest::prelude::*;
use urbis_scenario::load;

const VALID: &str = r#"name = "baseline"
seed = 12
[city]
package = "../cities/here"
[period]
start = "2024-06-11T03:00:00"
time_zone = "Europe/Monaco"
duration_h = 24
[population]
sample_factor = 0.5
[output.tables]
link_state = { every_s = 300, zones = ["a", "b"] }
trips.enabled = false
"#;

fn load_bytes(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.toml");
    std::fs::write(&path, bytes).unwrap();
    match load(&path) {
        Ok(loaded) => assert!(loaded.differences().is_empty()),
        Err(error) => {
            assert_eq!(error.exit_status() as i32, 2);
            // Rendering walks every span; it must not fail either.
            assert!(!format!("{:?}", miette::Report::new(error)).is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        load_bytes(&bytes);
    }

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        load_bytes(text.as_bytes());
    }

    #[test]
    fn text_that_looks_like_toml(text in "([a-z]{1,8}(\\.[a-zé]{1,4})? = (\"[^\"]{0,5}\"|-?[0-9]{1,25}|\\[1, [a-z\"]{1,3}\\]|\\{ a = 1 \\}|inf)\n|\\[{1,2}[a-z.\"]{1,9}\\]{1,2}\n){0,12}") {
        load_bytes(text.as_bytes());
    }

    #[test]
    fn a_valid_scenario_with_bytes_changed(
        changes in prop::collection::vec((0..VALID.len(), any::<u8>()), 1..6),
        cut in 0..VALID.len(),
    ) {
        let mut bytes = VALID.as_bytes().to_vec();
        for (at, byte) in &changes {
            bytes[*at] = *byte;
        }
        load_bytes(&bytes);
        load_bytes(&bytes[..cut]);
    }

    #[test]
    fn a_valid_scenario_with_lines_moved(order in prop::collection::vec(0..13_usize, 0..20)) {
        let lines: Vec<&str> = VALID.lines().collect();
        let text: String = order.iter().map(|row| format!("{}\n", lines[*row])).collect();
        load_bytes(text.as_bytes());
    }

    #[test]
    fn a_valid_scenario_with_values_swapped(from in 0..13_usize, value in prop::sample::select(vec![
        "\"x\"", "1", "-1", "0.5", "true", "[]", "{}", "[[1]]", "[{ a = 1 }]", "1979-05-27", "07:32:00", "1e400", "\"\"", "0x7fffffffffffffff",
    ])) {
        let text: String = VALID
            .lines()
            .enumerate()
            .map(|(row, line)| match line.split_once(" = ") {
                Some((key, _)) if row == from => format!("{key} = {value}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        load_bytes(text.as_bytes());
    }
}

#[test]
fn deep_nesting_is_a_problem_not_an_overflow() {
    load_bytes(format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000)).as_bytes());
    load_bytes(format!("[{}]\n", vec!["a"; 100_000].join(".")).as_bytes());
    load_bytes(format!("{} = 1\n", vec!["a"; 20_000].join(".")).as_bytes());
}

#[test]
fn the_valid_one_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.toml");
    std::fs::write(&path, VALID).unwrap();
    assert!(load(&path).is_ok());
}
