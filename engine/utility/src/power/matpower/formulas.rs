//! The code with which cases of distribution grids convert their units: numbers computed from the matrices, and columns
//! of a matrix times or over such a number.
//!
//! ```text
//! Vbase = mpc.bus(1, BASE_KV) * 1e3;
//! mpc.branch(:, [BR_R BR_X]) = mpc.branch(:, [BR_R BR_X]) / (Vbase^2 / Sbase);
//! ```

use super::lex::Word;
use super::{File, Matrix, Words};

/// Columns by the names of MATPOWER's constants, from 0.
fn column(name: &str) -> Option<usize> {
    let names: [(&str, usize); 17] = [
        ("PD", 2),
        ("QD", 3),
        ("GS", 4),
        ("BS", 5),
        ("VM", 7),
        ("VA", 8),
        ("BASE_KV", 9),
        ("PG", 1),
        ("QG", 2),
        ("QMAX", 3),
        ("QMIN", 4),
        ("VG", 5),
        ("BR_R", 2),
        ("BR_X", 3),
        ("BR_B", 4),
        ("RATE_A", 5),
        ("TAP", 8),
    ];
    names.iter().find(|(known, _)| *known == name).map(|(_, column)| *column)
}

/// Value of an expression of numbers, names and entries of matrices, if it is one.
pub(super) fn scalar(words: &Words<'_>, file: &File) -> Option<f64> {
    let mut parser = Parser { words, at: 0, depth: 0, file };
    let value = parser.sum()?;
    (parser.at == words.len()).then_some(value)
}

/// Does `mpc.m(:, columns) = mpc.m(:, columns) * number`, or `/`; says whether the statement is of that form.
pub(super) fn scale_columns(words: &Words<'_>, file: &mut File) -> bool {
    let Some(equal) = words.iter().position(|(word, _)| *word == Word::Sign('=')) else { return false };
    let (left, right) = (&words[..equal], &words[equal + 1..]);
    let plain = |words: &Words<'_>| -> Vec<String> { words.iter().map(|(word, _)| format!("{word:?}")).collect() };
    let same = right.len() > left.len() + 1 && plain(left) == plain(&right[..left.len()]);
    let [(Word::Name(name), _), (Word::Sign('('), _), (Word::Sign(':'), _), (Word::Sign(','), _), rest @ ..] = left
    else {
        return false;
    };
    if !same {
        return false;
    }
    let mut columns = Vec::new();
    for (word, _) in rest {
        match word {
            Word::Name(name) => match column(name) {
                Some(column) => columns.push(column),
                None => return false,
            },
            Word::Number(number) if *number >= 1.0 && *number <= 64.0 => columns.push(*number as usize - 1),
            Word::Sign('[' | ']' | ',' | ')') => {}
            _ => return false,
        }
    }
    let operator = &right[left.len()].0;
    let Some(number) = scalar(&right[left.len() + 1..], file) else { return false };
    let factor = match operator {
        Word::Sign('*') => number,
        Word::Sign('/') => 1.0 / number,
        _ => return false,
    };
    let field = name.split_once('.').map_or("", |(_, field)| field);
    let Some(Some(Matrix { values, columns: width, .. })) = file.matrix_mut(field) else { return false };
    if *width == 0 || columns.iter().any(|column| column >= width) {
        return *width == 0;
    }
    for row in values.chunks_exact_mut(*width) {
        for &column in &columns {
            row[column] = if *operator == Word::Sign('/') { row[column] / number } else { row[column] * factor };
        }
    }
    true
}

/// Nesting that is read; deeper is no case.
const DEEPEST: u32 = 32;

struct Parser<'a> {
    words: &'a Words<'a>,
    at: usize,
    depth: u32,
    file: &'a File,
}

impl Parser<'_> {
    fn take(&mut self, sign: char) -> bool {
        let is_there = self.words.get(self.at).is_some_and(|(word, _)| *word == Word::Sign(sign));
        self.at += usize::from(is_there);
        is_there
    }
    fn sum(&mut self) -> Option<f64> {
        let mut value = self.product()?;
        loop {
            if self.take('+') {
                value += self.product()?;
            } else if self.take('-') {
                value -= self.product()?;
            } else {
                return Some(value);
            }
        }
    }
    fn product(&mut self) -> Option<f64> {
        let mut value = self.power()?;
        loop {
            if self.take('*') {
                value *= self.power()?;
            } else if self.take('/') {
                value /= self.power()?;
            } else {
                return Some(value);
            }
        }
    }
    fn power(&mut self) -> Option<f64> {
        let base = self.atom()?;
        if self.take('^') { Some(base.powf(self.atom()?)) } else { Some(base) }
    }
    fn atom(&mut self) -> Option<f64> {
        if self.take('(') {
            self.depth += 1;
            if self.depth > DEEPEST {
                return None;
            }
            let value = self.sum()?;
            self.depth -= 1;
            return self.take(')').then_some(value);
        }
        let (word, _) = self.words.get(self.at)?;
        self.at += 1;
        match word {
            Word::Number(value) => Some(*value),
            Word::Name(name) => match name.split_once('.') {
                Some((_, "baseMVA")) => self.file.base_mva,
                Some((_, field)) => self.entry(field),
                None => self.file.scalars.get(*name).copied(),
            },
            _ => None,
        }
    }
    /// `(row, column)` of a matrix.
    fn entry(&mut self, field: &str) -> Option<f64> {
        let matrix = match field {
            "bus" => self.file.bus.as_ref()?,
            "branch" => self.file.branch.as_ref()?,
            "gen" => self.file.generator.as_ref()?,
            _ => return None,
        };
        let [(Word::Sign('('), _), (Word::Number(row), _), (Word::Sign(','), _), (at, _), (Word::Sign(')'), _)] =
            self.words.get(self.at..self.at + 5)?
        else {
            return None;
        };
        let column = match at {
            Word::Name(name) => column(name)?,
            Word::Number(number) if *number >= 1.0 => *number as usize - 1,
            _ => return None,
        };
        self.at += 5;
        let row = (*row >= 1.0).then_some(*row as usize - 1)?;
        (column < matrix.columns).then(|| matrix.values.get(row * matrix.columns + column).copied())?
    }
}
