//! Lines and words of an INP file as EPANET sees them: blanks and tabs between words, quotes around words with blanks,
//! `;` before a comment, keywords by their first letters in any case, times in hours or as clocks.
//!
//! Source: EPANET 2.2 Users Manual, appendix C (Rossman et al. 2020), and how its program matches.
//! Contract: pure functions of the text; never panics.

/// Sections with the letters by which they are known.
const SECTIONS: [(&str, Section); 29] = [
    ("[TITL", Section::Title),
    ("[JUNC", Section::Junctions),
    ("[RESE", Section::Reservoirs),
    ("[TANK", Section::Tanks),
    ("[PIPE", Section::Pipes),
    ("[PUMP", Section::Pumps),
    ("[VALV", Section::Valves),
    ("[CONT", Section::Controls),
    ("[RULE", Section::Rules),
    ("[DEMA", Section::Demands),
    ("[SOUR", Section::Sources),
    ("[EMIT", Section::Emitters),
    ("[PATT", Section::Patterns),
    ("[CURV", Section::Curves),
    ("[QUAL", Section::Quality),
    ("[STAT", Section::Status),
    ("[ENER", Section::Energy),
    ("[REAC", Section::Reactions),
    ("[MIXI", Section::Mixing),
    ("[TIME", Section::Times),
    ("[OPTI", Section::Options),
    ("[COOR", Section::Coordinates),
    ("[VERT", Section::Vertices),
    ("[REPO", Section::Unused),
    ("[LABE", Section::Unused),
    ("[BACK", Section::Unused),
    ("[TAGS", Section::Unused),
    ("[ROUG", Section::Unused),
    ("[END", Section::End),
];

/// A section of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Title,
    Junctions,
    Reservoirs,
    Tanks,
    Pipes,
    Pumps,
    Valves,
    Controls,
    Rules,
    Demands,
    Sources,
    Emitters,
    Patterns,
    Curves,
    Quality,
    Status,
    Energy,
    Reactions,
    Mixing,
    Times,
    Options,
    Coordinates,
    Vertices,
    /// Known, but of no bearing on the network.
    Unused,
    /// Not one of EPANET's.
    Unknown,
    End,
}

/// A line with at least one word.
#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: usize,
    pub(super) section: Section,
    pub(super) words: Vec<&'a str>,
    /// All of it, for titles.
    pub(super) whole: &'a str,
}

impl<'a> Line<'a> {
    /// A word; empty where there are not so many.
    pub(super) fn word(&self, at: usize) -> &'a str {
        self.words.get(at).copied().unwrap_or("")
    }
    /// The last word.
    pub(super) fn last(&self) -> &'a str {
        self.words.last().copied().unwrap_or("")
    }
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }
}

/// A header with the lines below it that have words.
#[derive(Debug)]
pub(super) struct Header<'a> {
    pub(super) number: usize,
    pub(super) name: &'a str,
    pub(super) section: Section,
    pub(super) lines: usize,
}

/// Lines with words by section, in order, and the headers; what comes after `[END]` is left.
pub(super) fn lines(text: &str) -> (Vec<Line<'_>>, Vec<Header<'_>>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut all, mut headers): (Vec<Line<'_>>, Vec<Header<'_>>) = (Vec::new(), Vec::new());
    // Before the first header there is no section.
    let mut section = Section::Unknown;
    for (at, whole) in text.split('\n').enumerate() {
        let words = words(whole);
        let Some(first) = words.first() else { continue };
        if first.starts_with('[') {
            section = SECTIONS.iter().find(|(key, _)| begins(first, key)).map_or(Section::Unknown, |(_, of)| *of);
            if section == Section::End {
                break;
            }
            headers.push(Header { number: at + 1, name: first, section, lines: 0 });
            continue;
        }
        match headers.last_mut() {
            Some(header) => header.lines += 1,
            None => headers.push(Header { number: at + 1, name: "", section, lines: 1 }),
        }
        all.push(Line { number: at + 1, section, words, whole: whole.trim() });
    }
    (all, headers)
}

/// Words of a line before its comment.
fn words(line: &str) -> Vec<&str> {
    let mut rest = line.split(';').next().unwrap_or("");
    let is_blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    let mut words = Vec::new();
    loop {
        rest = rest.trim_start_matches(is_blank);
        if rest.is_empty() {
            return words;
        }
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find(['"', '\r']).unwrap_or(quoted.len());
            words.push(&quoted[..end]);
            rest = quoted[end..].trim_start_matches('"');
            continue;
        }
        let end = rest.find(is_blank).unwrap_or(rest.len());
        words.push(&rest[..end]);
        rest = &rest[end..];
    }
}

/// Whether a word begins with a key, in any case: all that EPANET looks at.
pub(super) fn begins(word: &str, key: &str) -> bool {
    word.len() >= key.len() && word.as_bytes()[..key.len()].eq_ignore_ascii_case(key.as_bytes())
}

/// The first of the keys that a word begins with.
pub(super) fn which<T: Copy>(word: &str, keys: &[(&str, T)]) -> Option<T> {
    keys.iter().find(|(key, _)| begins(word, key)).map(|(_, of)| *of)
}

/// A finite number.
pub(super) fn number(word: &str) -> Option<f64> {
    word.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// A whole number at the start of an id, as ranges of ids compare them; 0 where there is none.
pub(super) fn leading_number(word: &str) -> i64 {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let digits = unsigned.len() - unsigned.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let value: i64 = unsigned[..digits].parse().unwrap_or(0);
    if word.starts_with('-') { -value } else { value }
}

/// Hours of a time: a number with or without a unit, `h:mm` or `h:mm:ss`, with or without AM or PM.
pub(super) fn hours(time: &str, unit: &str) -> Option<f64> {
    let parts: Vec<&str> = time.split(':').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() || parts.len() > 3 {
        return None;
    }
    let mut hours = 0.0;
    for (part, share) in parts.iter().zip([1.0, 60.0, 3600.0]) {
        hours += number(part)? / share;
    }
    if hours < 0.0 {
        return None;
    }
    if unit.is_empty() {
        return Some(hours);
    }
    if parts.len() == 1 {
        // `MIN` and `SEC` are looked for before AM and PM.
        let per_hour = [("SEC", 3600.0), ("MIN", 60.0), ("HOU", 1.0), ("DAY", 1.0 / 24.0)];
        if let Some(per_hour) = which(unit, &per_hour) {
            return Some(hours / per_hour);
        }
    }
    let is_afternoon = which(unit, &[("AM", false), ("PM", true)])?;
    if hours >= 13.0 {
        return None;
    }
    let hours = if hours >= 12.0 { hours - 12.0 } else { hours };
    Some(if is_afternoon { hours + 12.0 } else { hours })
}

/// Whole seconds of hours.
pub(super) fn seconds(hours: f64) -> Option<u32> {
    let seconds = (3600.0 * hours + 0.5).floor();
    (0.0..=f64::from(u32::MAX)).contains(&seconds).then_some(seconds as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_quotes_and_comments() {
        assert_eq!(words(" ~@Pump-1\tB  \"a b\" c;d e\r"), ["~@Pump-1", "B", "a b", "c"]);
        assert!(words("  ; all comment").is_empty());
        assert_eq!(words("\"open end"), ["open end"]);
    }

    #[test]
    fn times() {
        let is = |time, unit, expected: f64| {
            let hours = hours(time, unit).unwrap();
            assert!((hours - expected).abs() < 1e-12, "{time} {unit}: {hours}");
        };
        is("5", "", 5.0);
        is("90", "minutes", 1.5);
        is("90", "SEC", 0.025);
        is("2", "Days", 48.0);
        is("1:30", "", 1.5);
        is("1:30:36", "", 1.51);
        is("1:30", "PM", 13.5);
        is("12", "AM", 0.0);
        is("12:15", "am", 0.25);
        is("12", "pm", 12.0);
        for (time, unit) in [("x", ""), ("13", "PM"), ("1:2:3:4", ""), ("-1", ""), ("1", "weeks"), ("", "")] {
            assert_eq!(hours(time, unit), None, "{time} {unit}");
        }
        assert_eq!(seconds(1.0 / 3.0), Some(1200));
        assert_eq!(seconds(1e300), None);
    }

    #[test]
    fn sections_by_their_first_letters() {
        let (lines, headers) = lines("before\n[title]\nA b\n[Junctions of it]\n 1 2\n[MADE_UP]\nx\n[END]\n[PIPES]\n1");
        let sections: Vec<_> = lines.iter().map(|line| (line.number, line.section)).collect();
        let expected = [(1, Section::Unknown), (3, Section::Title), (5, Section::Junctions), (7, Section::Unknown)];
        assert_eq!(sections, expected);
        assert_eq!(headers.len(), 4);
    }
}
