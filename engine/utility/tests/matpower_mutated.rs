//! The reader of MATPOWER cases on spoilt files: a grid or problems, never a panic; what it reads can be solved or
//! says why not.

use proptest::prelude::*;
use std::path::Path;
use urbis_utility::power::{Method, NewtonSettings, PowerFlow, matpower};

const CASES: [&str; 2] = [include_str!("data/case9/case9.m"), include_str!("data/case14/case14.m")];
const PIECES: [&str; 24] = [
    "",
    "NaN",
    "-Inf",
    "1e999",
    "-0",
    "0",
    "1",
    "2",
    "3.5",
    "99999",
    "[",
    "]",
    ";",
    ",",
    "...",
    "%",
    "'",
    "mpc.bus = [",
    "mpc.bus(:, [PD QD]) = mpc.bus(:, [PD QD]) / 1e3;",
    "x = ((((1)+2)*3)^2);",
    "\n",
    "é",
    "{",
    "mpc.baseMVA = 0;",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn spoilt_files_never_panic(
        case in 0..CASES.len(),
        changes in prop::collection::vec((0.0..1.0_f64, 0.0..0.02_f64, 0..PIECES.len()), 1..6),
        cut in prop::option::of(0.0..1.0_f64),
    ) {
        let mut text = CASES[case].to_owned();
        for (at, length, piece) in changes {
            let place = |share: f64| text.floor_char_boundary((share * text.len() as f64) as usize);
            let range = place(at)..place((at + length).min(1.0));
            text.replace_range(range, PIECES[piece]);
        }
        if let Some(cut) = cut {
            text.truncate(text.floor_char_boundary((cut * text.len() as f64) as usize));
        }
        if let Ok(case) = matpower::parse(Path::new("spoilt.m"), &text)
            && let Ok(mut flow) = PowerFlow::new(case.grid)
        {
            for method in [Method::Newton, Method::Sweep, Method::Linear] {
                flow.solve(method, &NewtonSettings::default());
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(mpc\\.(bus|gen|branch|baseMVA) = |\\[|\\]|;|[0-9. \\-e]{1,8}|\n|\\PC){0,80}") {
        drop(matpower::parse(Path::new("any.m"), &text));
    }
}
