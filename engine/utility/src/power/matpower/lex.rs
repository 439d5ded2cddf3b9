//! MATPOWER cases as words: names, numbers, strings and signs, with comments and continued lines taken out. Numbers
//! take a sign that stands directly before them and after a space, bracket or comma, as MATLAB reads matrices.

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word<'a> {
    /// A name with its fields: `mpc.bus`.
    Name(&'a str),
    Number(f64),
    Text,
    Sign(char),
    EndOfLine,
    /// What is no MATLAB.
    Unknown(char),
}

/// Words with the lines they stand in, from 1.
pub(super) fn words(text: &str) -> Vec<(Word<'_>, u32)> {
    let mut words = Vec::new();
    let mut line_number = 0;
    let mut comment_depth = 0_u32;
    for line in text.lines() {
        line_number += 1;
        match line.trim() {
            "%{" => comment_depth += 1,
            "%}" => comment_depth = comment_depth.saturating_sub(1),
            _ if comment_depth > 0 => {}
            _ => {
                if !line_words(line, line_number, &mut words) {
                    words.push((Word::EndOfLine, line_number));
                }
            }
        }
    }
    words
}

/// Adds the words of a line; returns whether the next line continues it.
fn line_words<'a>(line: &'a str, number: u32, words: &mut Vec<(Word<'a>, u32)>) -> bool {
    let bytes = line.as_bytes();
    let mut at = 0;
    let mut is_apart = true; // whether a sign here would belong to a number
    while at < bytes.len() {
        let rest = &line[at..];
        let byte = bytes[at];
        if byte.is_ascii_whitespace() {
            at += 1;
            is_apart = true;
            continue;
        }
        if byte == b'%' {
            return false;
        }
        if rest.starts_with("...") {
            return true;
        }
        let signed = matches!(byte, b'+' | b'-') && is_apart;
        if let Some((value, length)) = number_at(&rest[usize::from(signed)..]) {
            words.push((Word::Number(if byte == b'-' { -value } else { value }), number));
            at += length + usize::from(signed);
        } else if byte.is_ascii_alphabetic() || byte == b'_' {
            let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')).count();
            words.push((Word::Name(&rest[..length]), number));
            at += length;
        } else if byte == b'"' || (byte == b'\'' && !follows_value(words, is_apart)) {
            let end = rest[1..].find(byte as char).map_or(rest.len(), |end| end + 2);
            words.push((Word::Text, number));
            at += end;
        } else {
            let sign = rest.chars().next().unwrap_or(' ');
            let is_known = "=[]{}();,:+-*/^.'~<>&|!@".contains(sign);
            words.push((if is_known { Word::Sign(sign) } else { Word::Unknown(sign) }, number));
            at += sign.len_utf8();
            is_apart = matches!(sign, '[' | '{' | '(' | ',' | ';' | '=');
            continue;
        }
        is_apart = false;
    }
    false
}

/// Whether a quote here transposes what is before it.
fn follows_value(words: &[(Word<'_>, u32)], is_apart: bool) -> bool {
    let last = words.last().map(|(word, _)| word);
    !is_apart && matches!(last, Some(Word::Name(_) | Word::Number(_) | Word::Sign(')' | ']' | '}' | '\'')))
}

/// The unsigned number that a text begins with, and its length.
fn number_at(text: &str) -> Option<(f64, usize)> {
    let bytes = text.as_bytes();
    let is_word = |length: usize| !bytes.get(length).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    for (name, value) in [("Inf", f64::INFINITY), ("NaN", f64::NAN), ("inf", f64::INFINITY), ("nan", f64::NAN)] {
        if text.starts_with(name) && is_word(3) {
            return Some((value, 3));
        }
    }
    let digits = |from: usize| bytes[from.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(0);
    let mut length = whole;
    if bytes.get(length) == Some(&b'.') && !matches!(bytes.get(length + 1), Some(b'*' | b'/' | b'^' | b'.')) {
        let fraction = digits(length + 1);
        if whole + fraction == 0 {
            return None;
        }
        length += 1 + fraction;
    }
    if length == 0 {
        return None;
    }
    if matches!(bytes.get(length), Some(b'e' | b'E' | b'd' | b'D')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    let value = text[..length].replace(['d', 'D'], "e").parse().ok()?;
    Some((value, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<f64> {
        let number = |word: Word<'_>| if let Word::Number(value) = word { Some(value) } else { None };
        words(text).into_iter().filter_map(|(word, _)| number(word)).collect()
    }

    #[test]
    fn numbers_as_matlab_writes_them() {
        assert_eq!(numbers("[1 -2 +3.5,-.5;1e3\t-2.5E-2 1. 4d2]"), [1.0, -2.0, 3.5, -0.5, 1e3, -0.025, 1.0, 400.0]);
        assert_eq!(numbers("-Inf Inf"), [f64::NEG_INFINITY, f64::INFINITY]);
        assert!(numbers("NaN")[0].is_nan());
        assert!(numbers("Infinite NaNs").is_empty());
    }

    #[test]
    fn comments_and_continued_lines() {
        assert_eq!(numbers("1 % 2\n%{\n3\n%}\n4 ... 5\n6"), [1.0, 4.0, 6.0]);
        assert_eq!(words("a = 'it % is'; b'").len(), 7);
        let lines: Vec<u32> = words("1\n2 ...\n3").into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, [1, 1, 2, 3, 3]);
    }
}
