//! The code with which cases of distribution grids convert their units: numbers computed from the matrices, and columns
//! of a matrix times or over such a number.
//!
//! ```text
//! Vbase = mpc.bus(1, BASE_KV) * 1e3;
//! mpc.branch(:, [BR_R BR_X]) = mpc.branch(:, [BR_R BR_X]) / (Vbase^2 / Sbase);
//! mpc.bus(:, QD) = mpc.bus(:, PD) * sin(acos(pf));
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
    let (Some((name, to, [])), Some((source, from, rest))) = (columns(&words[..equal]), columns(&words[equal + 1..]))
    else {
        return false;
    };
    let Some(((operator, _), factor)) = rest.split_first() else { return false };
    let Some(number) = scalar(factor, file).filter(|_| name == source && to.len() == from.len()) else { return false };
    let is_quotient = *operator == Word::Sign('/');
    if !is_quotient && *operator != Word::Sign('*') {
        return false;
    }
    let field = name.split_once('.').map_or("", |(_, field)| field);
    let Some(Some(Matrix { values, columns: width, .. })) = file.matrix_mut(field) else { return false };
    if to.iter().chain(&from).any(|column| column >= width) {
        return false;
    }
    for row in values.chunks_exact_mut(*width) {
        let before: Vec<f64> = from.iter().map(|&column| row[column]).collect();
        for (&column, value) in to.iter().zip(before) {
            row[column] = if is_quotient { value / number } else { value * number };
        }
    }
    true
}

/// Name and columns of `mpc.m(:, columns)` at the head of some words, and what follows.
fn columns<'a, 'w>(words: &'w Words<'a>) -> Option<(&'a str, Vec<usize>, &'w Words<'a>)> {
    let [(Word::Name(name), _), (Word::Sign('('), _), (Word::Sign(':'), _), (Word::Sign(','), _), rest @ ..] = words
    else {
        return None;
    };
    let end = rest.iter().position(|(word, _)| *word == Word::Sign(')'))?;
    let mut columns = Vec::new();
    for (word, _) in &rest[..end] {
        match word {
            Word::Name(name) => columns.push(column(name)?),
            Word::Number(number) if (1.0..=64.0).contains(number) => columns.push(*number as usize - 1),
            Word::Sign('[' | ']' | ',') => {}
            _ => return None,
        }
    }
    Some((name, columns, &rest[end + 1..]))
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
        if let Some(function) = self.function() {
            return self.atom().map(function);
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
    /// A function's name that stands before a bracket.
    fn function(&mut self) -> Option<fn(f64) -> f64> {
        let [(Word::Name(name), _), (Word::Sign('('), _)] = self.words.get(self.at..self.at + 2)? else { return None };
        let function = match *name {
            "sqrt" => f64::sqrt,
            "sin" => f64::sin,
            "cos" => f64::cos,
            "acos" => f64::acos,
            _ => return None,
        };
        self.at += 1;
        Some(function)
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
