//! Texts spoilt as files are: values that are others, pieces that are replaced, ends that are cut.
#![allow(dead_code)] // every test file uses its share

use flate2::read::GzDecoder;
use proptest::prelude::*;
use std::io::Read;

/// Changes of a text: where as a share of its length, how many bytes, by which piece.
pub(crate) type Changes = Vec<(f64, usize, usize)>;

/// The text of a file under gzip.
pub(crate) fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).expect("a text");
    text
}

/// The places of values of JSON: after a colon, comma or bracket, up to the next of them.
fn values(text: &str) -> Vec<(usize, usize)> {
    let is_edge = |c: char| matches!(c, ',' | '[' | ']' | ':' | '{' | '}');
    let edges: Vec<usize> = text.match_indices(is_edge).map(|(at, _)| at).collect();
    edges.windows(2).map(|pair| (pair[0] + 1, pair[1])).filter(|(from, to)| from < to).collect()
}

/// A text of JSON with one value, at a share of all of them, replaced.
pub(crate) fn with_value(text: &str, at: f64, piece: &str) -> String {
    let (places, mut text) = (values(text), text.to_owned());
    let (from, to) = places[(at * places.len() as f64) as usize];
    text.replace_range(from..to, piece);
    text
}

/// Up to `most - 1` changes of fewer than `length` bytes by one of some pieces.
pub(crate) fn changes(length: usize, pieces: usize, most: usize) -> impl Strategy<Value = Changes> {
    prop::collection::vec((0.0..1.0_f64, 0..length, 0..pieces), 1..most)
}

/// A text with these changes, cut at a share of its length.
pub(crate) fn with_changes(text: &str, changes: Changes, pieces: &[&str], cut: Option<f64>) -> String {
    let mut text = text.to_owned();
    for (at, length, piece) in changes {
        let place = |at: usize, text: &str| text.floor_char_boundary(at.min(text.len()));
        let at = (at * text.len() as f64) as usize;
        let range = place(at, &text)..place(at + length, &text);
        text.replace_range(range, pieces[piece]);
    }
    if let Some(cut) = cut {
        text.truncate(text.floor_char_boundary((cut * text.len() as f64) as usize));
    }
    text
}
