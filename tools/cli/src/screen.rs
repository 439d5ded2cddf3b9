//! Text on the two streams: data on standard output, errors on standard error, and figures as people
//! write them.

use comfy_table::{CellAlignment, ContentArrangement, Row, Table};
use miette::Diagnostic;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;
use urbis_core::{Error, Result};

/// Widest table that is written where there is no terminal to fit into.
const PLAIN_WIDTH: u16 = 140;

/// Writes data to standard output. A reader that has seen enough and closed its end is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::write(Path::new("standard output"), error)),
        _ => Ok(()),
    }
}

/// Writes a JSON value to standard output, indented, one line end after it.
pub(crate) fn print_json(value: &serde_json::Value) -> Result<()> {
    print(&format!("{value:#}\n"))
}

/// Says something that is not data. Nobody can be told when standard error itself fails.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Whether a person at a terminal reads standard error.
pub(crate) fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Shows an error: drawn into its file on a terminal, one line for each problem (and one for its help) elsewhere.
pub(crate) fn show_error(error: Error) {
    if stderr_is_terminal() {
        say(&format!("{:?}", miette::Report::new(error)));
        return;
    }
    match &error {
        Error::Input(problems) => {
            for problem in problems.listed() {
                say(&plain(problem));
            }
            if problems.len() > problems.listed().len() {
                say(&format!("error: {problems}"));
            }
        }
        other => say(&plain(other)),
    }
}

fn plain(diagnostic: &dyn Diagnostic) -> String {
    let help = diagnostic.help().map(|help| format!("\n  help: {help}")).unwrap_or_default();
    format!("error: {diagnostic}{help}")
}

/// One word of a shell.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A table in the style of the program; columns listed in `right` hold figures.
pub(crate) fn table(header: &[&str], right: &[usize], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    table_of(header, right, rows)
}

/// The same of cells with colours.
pub(crate) fn table_of<R: Into<Row>>(header: &[&str], right: &[usize], rows: impl IntoIterator<Item = R>) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::stdout().is_terminal() {
        table.set_width(PLAIN_WIDTH);
    }
    table.set_header(header.to_vec());
    table.add_rows(rows);
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{}\n", table.trim_fmt())
}

/// Comma-separated values: a header, then rows; cells that need quotes get them.
pub(crate) fn csv(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<String> {
    let write = || -> csv::Result<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(header)?;
        rows.into_iter().try_for_each(|row| writer.write_record(row))?;
        let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    write().map_err(|error| Error::write(Path::new("standard output"), std::io::Error::other(error)))
}

/// A figure with about four digits and grouped thousands: `98,392`, `43.2`, `0.0312`.
pub(crate) fn figure(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    // Nothing has no sign.
    let value = value + 0.0;
    let size = value.abs();
    if size >= 999.5 {
        let digits = format!("{:.0}", size);
        let mut grouped = String::new();
        for (row, digit) in digits.chars().enumerate() {
            if row > 0 && (digits.len() - row).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        return format!("{}{grouped}", if value < 0.0 { "-" } else { "" });
    }
    let decimals = if size >= 99.95 || size.fract() == 0.0 {
        0
    } else if size >= 9.995 {
        1
    } else if size >= 0.9995 {
        2
    } else if size >= 0.09995 {
        3
    } else {
        4
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_grouped() {
        let shown: Vec<String> =
            [-0.0, 3.0, -0.03117, 0.2449, 1.234, 43.21, 512.4, 999.6, 98_392.2, -1_234_567.0, f64::NAN]
                .map(figure)
                .into();
        assert_eq!(shown, ["0", "3", "-0.0312", "0.245", "1.23", "43.2", "512", "1,000", "98,392", "-1,234,567", "-"]);
    }

    #[test]
    fn cells_are_quoted_where_they_must() {
        let text =
            csv(&["a", "b"], [vec!["1,5".to_owned(), "x \"y\"".to_owned()], vec![String::new(), "z".to_owned()]])
                .unwrap();
        assert_eq!(text, "a,b\n\"1,5\",\"x \"\"y\"\"\"\n,z\n");
    }

    #[test]
    fn plain_errors_are_one_line_and_a_help() {
        let problem = urbis_core::Problem::file(Path::new("a.toml"), "bad").with_help("do better");
        assert_eq!(plain(&problem), "error: a.toml: bad\n  help: do better");
    }
}
