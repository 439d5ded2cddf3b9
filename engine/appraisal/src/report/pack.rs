//! Columns of figures as one stream of little-endian bytes, found again by name. The page inflates it with the
//! browser's own `DecompressionStream`, so nothing is fetched and nothing but text stands in the file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::{Map, Value, json};
use std::io::Write as _;

/// Columns put one after another, each at a multiple of four bytes.
#[derive(Default)]
pub(crate) struct Pack {
    bytes: Vec<u8>,
    columns: Map<String, Value>,
}

impl Pack {
    fn push<const N: usize>(&mut self, name: &str, kind: &str, values: impl Iterator<Item = [u8; N]>) {
        let at = self.bytes.len();
        self.bytes.extend(values.flatten());
        let count = (self.bytes.len() - at) / N;
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.columns.insert(name.to_owned(), json!([kind, at, count]));
    }
    /// Bytes.
    pub(crate) fn bytes(&mut self, name: &str, values: &[u8]) {
        self.push(name, "u8", values.iter().map(|v| [*v]));
    }
    /// Differences and small signed figures.
    pub(crate) fn shorts(&mut self, name: &str, values: &[i16]) {
        self.push(name, "i16", values.iter().map(|v| v.to_le_bytes()));
    }
    /// Figures rounded to whole numbers, at most 65,535.
    pub(crate) fn rounded(&mut self, name: &str, values: impl Iterator<Item = f64>) {
        self.push(name, "u16", values.map(|v| (v.round() as u16).to_le_bytes()));
    }
    /// Whole numbers.
    pub(crate) fn ints(&mut self, name: &str, values: &[i32]) {
        self.push(name, "i32", values.iter().map(|v| v.to_le_bytes()));
    }
    /// Figures in single precision.
    pub(crate) fn reals(&mut self, name: &str, values: impl Iterator<Item = f64>) {
        self.push(name, "f32", values.map(|v| (v as f32).to_le_bytes()));
    }
    /// Where each column lies, and all of them compressed.
    pub(crate) fn finish(self) -> (Value, String) {
        (Value::Object(self.columns), compressed(&self.bytes))
    }
}

/// Deflated, as base64.
pub(crate) fn compressed(bytes: &[u8]) -> String {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    // Writing to memory cannot fail.
    encoder.write_all(bytes).expect("memory takes everything");
    STANDARD.encode(encoder.finish().expect("memory takes everything"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn columns_come_back() {
        let mut pack = Pack::default();
        pack.bytes("a", &[1, 2, 3]);
        pack.rounded("b", [1.6, 70_000.0, -3.0].into_iter());
        let (columns, text) = pack.finish();
        assert_eq!(columns, json!({"a": ["u8", 0, 3], "b": ["u16", 4, 3]}));
        let packed = STANDARD.decode(text).unwrap();
        let mut bytes = Vec::new();
        flate2::read::DeflateDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, [1, 2, 3, 0, 2, 0, 255, 255, 0, 0, 0, 0]);
    }
}
