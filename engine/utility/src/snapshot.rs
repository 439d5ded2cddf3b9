//! The state of a solver as bytes, so that a run can be put down and taken up with the same bits.
//!
//! One function of a solver walks over its columns and serves both ways: with a writer it copies them out, with a reader it
//! copies them in, so that the two cannot come apart. Columns of a known size must have that size. Numbers keep their
//! bits, those that are none included.
//!
//! Contract: what a solver does next is a pure function of its tables and of what it walks over. A reader never panics: what
//! does not fit is remembered ([`Snapshot::is_good`]) and leaves the rest as it was.

/// Bytes being written or read.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    bytes: Vec<u8>,
    at: usize,
    is_reader: bool,
    is_bad: bool,
}

impl Snapshot {
    /// One that takes states down.
    #[must_use]
    pub fn writer() -> Self {
        Self::default()
    }
    /// One that puts states back.
    #[must_use]
    pub fn reader(bytes: Vec<u8>) -> Self {
        Self { bytes, is_reader: true, ..Self::default() }
    }
    /// Whether it puts states back.
    #[must_use]
    pub fn is_reader(&self) -> bool {
        self.is_reader
    }
    /// Whether everything read so far fitted.
    #[must_use]
    pub fn is_good(&self) -> bool {
        !self.is_bad
    }
    /// Whether everything was read and fitted.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.is_bad && self.at == self.bytes.len()
    }
    /// What was taken down.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
    /// Eight bytes either way; the value as it was where there are none.
    fn word(&mut self, word: u64) -> u64 {
        if !self.is_reader {
            self.bytes.extend_from_slice(&word.to_le_bytes());
            return word;
        }
        let found = self.bytes.get(self.at..self.at + 8).and_then(|bytes| bytes.try_into().ok());
        match found.filter(|_| !self.is_bad) {
            Some(bytes) => {
                self.at += 8;
                u64::from_le_bytes(bytes)
            }
            None => {
                self.is_bad = true;
                word
            }
        }
    }
    /// A length that must be the same; whether it is.
    fn length(&mut self, length: usize) -> bool {
        self.is_bad |= self.word(length as u64) != length as u64;
        !self.is_bad
    }
    /// A number.
    pub fn number(&mut self, number: &mut f64) {
        *number = f64::from_bits(self.word(number.to_bits()));
    }
    /// A whole number.
    pub fn whole(&mut self, whole: &mut u32) {
        match u32::try_from(self.word(u64::from(*whole))) {
            Ok(found) => *whole = found,
            Err(_) => self.is_bad = true,
        }
    }
    /// A flag.
    pub fn flag(&mut self, flag: &mut bool) {
        let mut whole = u32::from(*flag);
        self.whole(&mut whole);
        self.is_bad |= whole > 1;
        *flag = whole == 1;
    }
    /// A column of numbers.
    pub fn numbers(&mut self, numbers: &mut [f64]) {
        if self.length(numbers.len()) {
            numbers.iter_mut().for_each(|number| self.number(number));
        }
    }
    /// A column of flags.
    pub fn flags(&mut self, flags: &mut [bool]) {
        if self.length(flags.len()) {
            flags.iter_mut().for_each(|flag| self.flag(flag));
        }
    }
    /// How many rows there are of what may have any number of them; what the bytes left could hold at most.
    pub fn count(&mut self, count: usize) -> usize {
        let found = self.word(count as u64);
        if !self.is_reader {
            return count;
        }
        let most = (self.bytes.len() - self.at.min(self.bytes.len())) as u64;
        self.is_bad |= found > most;
        if self.is_bad { 0 } else { found as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(of: &mut Snapshot, numbers: &mut [f64], flags: &mut [bool], whole: &mut u32) {
        of.numbers(numbers);
        of.flags(flags);
        of.whole(whole);
    }

    #[test]
    fn bits_come_back() {
        let mut of = Snapshot::writer();
        walk(&mut of, &mut [1.5, -0.0, f64::NAN, 1e-320], &mut [true, false], &mut 7);
        let bytes = of.into_bytes();
        let (mut numbers, mut flags, mut whole) = ([0.0; 4], [false; 2], 0);
        let mut of = Snapshot::reader(bytes.clone());
        walk(&mut of, &mut numbers, &mut flags, &mut whole);
        assert!(of.is_whole() && flags[0] && !flags[1] && whole == 7);
        assert_eq!(numbers.map(f64::to_bits), [1.5, -0.0, f64::NAN, 1e-320].map(f64::to_bits));
        // What is cut or of another shape is seen, wherever it is cut.
        for end in 0..bytes.len() {
            let mut of = Snapshot::reader(bytes[..end].to_vec());
            walk(&mut of, &mut numbers, &mut flags, &mut whole);
            assert!(!of.is_whole(), "{end}");
        }
        let mut of = Snapshot::reader(bytes);
        walk(&mut of, &mut [0.0; 3], &mut flags, &mut whole);
        assert!(!of.is_good());
    }
}
