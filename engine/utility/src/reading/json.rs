//! Files in JSON, as text or compressed by gzip, with what Python writes beyond the standard: `NaN`, `Infinity` and
//! `-Infinity` are read as null, which readers refuse by field where a number is needed.
//!
//! Contract: pure functions of the bytes; never panics.

use flate2::read::MultiGzDecoder;
use serde_json::Value;
use std::borrow::Cow;
use std::io::Read;
use std::path::Path;
use urbis_core::{Error, Problem, Result};

/// The text of a file, decompressed where it begins as gzip does.
///
/// # Errors
/// [`Error::Read`] when it cannot be read; [`Error::Input`] when it is not a whole gzip file.
pub(crate) fn text_of(path: &Path) -> Result<String> {
    Ok(String::from_utf8_lossy(&bytes_of(path)?).into_owned())
}

/// The bytes of a file, decompressed where it begins as gzip does.
///
/// # Errors
/// [`Error::Read`] when it cannot be read; [`Error::Input`] when it is not a whole gzip file.
pub(crate) fn bytes_of(path: &Path) -> Result<Vec<u8>> {
    let bytes = std::fs::read(path).map_err(|source| Error::read(path, source))?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(&bytes[..])
        .read_to_end(&mut unpacked)
        .map_err(|why| Problem::file(path, format!("not a whole gzip file: {why}")))?;
    Ok(unpacked)
}

/// A text as a value; `path` is what messages name.
///
/// # Errors
/// [`Error::Input`] with line and column.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(&standard(text)).map_err(|why| Problem::file(path, format!("not whole JSON: {why}")).into())
}

/// A value in a few characters, for messages.
pub(crate) fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// The text with numbers that the standard does not know taken for null.
fn standard(text: &str) -> Cow<'_, str> {
    const WORDS: [&str; 3] = ["NaN", "-Infinity", "Infinity"];
    if !text.contains("NaN") && !text.contains("Infinity") {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut standard = String::with_capacity(text.len());
    let (mut at, mut copied, mut is_quoted) = (0, 0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if is_quoted => at += 1,
            b'"' => is_quoted = !is_quoted,
            b'N' | b'-' | b'I' if !is_quoted => {
                if let Some(word) = WORDS.iter().find(|word| bytes[at..].starts_with(word.as_bytes())) {
                    standard.push_str(&text[copied..at]);
                    standard.push_str("null");
                    at += word.len();
                    copied = at;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    standard.push_str(&text[copied..]);
    Cow::Owned(standard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_writes() {
        let value = parse(Path::new("x"), r#"{"NaN \" Infinity": [NaN, -Infinity, Infinity, -1.5, "NaN"]}"#).unwrap();
        assert_eq!(value.to_string(), r#"{"NaN \" Infinity":[null,null,null,-1.5,"NaN"]}"#);
        let cut = parse(Path::new("x.json"), "{\"a\": [1, 2").unwrap_err();
        let Error::Input(problems) = cut else { panic!("{cut}") };
        assert!(problems.listed()[0].to_string().starts_with("x.json: not whole JSON: EOF"), "{problems:?}");
        assert_eq!(short(&Value::String("é".repeat(50))).chars().count(), 43);
    }
}
