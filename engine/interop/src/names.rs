//! Outside names by row, found fast: a hash table with open addressing over a list of names. Rows come in
//! order of insertion, whatever the hash. Ignores nothing; contract: a pure function of the insertions.

/// Names with their rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    list: Vec<String>,
    /// Row + 1 of a name, or 0; a power of two of them, at least twice as many as names.
    slots: Vec<u32>,
}

/// Eight bytes at a time, multiplied and folded; no secret, as files are the user's own.
fn hash(name: &str) -> u64 {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ name.len() as u64;
    for chunk in name.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        state = (state ^ u64::from_le_bytes(word)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        state ^= state >> 32;
    }
    state
}

impl Names {
    /// The names of a list; of equal names the first counts.
    pub(crate) fn of(list: &[String]) -> Self {
        let mut names = Self::default();
        names.resize(list.len());
        names.list = list.to_vec();
        for (row, name) in list.iter().enumerate() {
            let slot = names.slot(name);
            if names.slots[slot] == 0 {
                names.slots[slot] = row as u32 + 1;
            }
        }
        names
    }
    /// Row of a name.
    pub(crate) fn get(&self, name: &str) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        self.slots[self.slot(name)].checked_sub(1)
    }
    /// Row of a name, which is added where it is new.
    pub(crate) fn insert(&mut self, name: &str) -> u32 {
        if self.slots.len() < 2 * (self.list.len() + 1) {
            self.resize(2 * self.list.len() + 8);
            for row in 0..self.list.len() {
                let slot = self.slot(&self.list[row]);
                if self.slots[slot] == 0 {
                    self.slots[slot] = row as u32 + 1;
                }
            }
        }
        let slot = self.slot(name);
        if let Some(row) = self.slots[slot].checked_sub(1) {
            return row;
        }
        self.list.push(name.to_owned());
        self.slots[slot] = self.list.len() as u32;
        self.list.len() as u32 - 1
    }
    /// All names by row.
    pub(crate) fn list(&self) -> &[String] {
        &self.list
    }
    /// All names by row.
    pub(crate) fn into_list(self) -> Vec<String> {
        self.list
    }
    fn resize(&mut self, names: usize) {
        self.slots = vec![0; (2 * names.max(4)).next_power_of_two()];
    }
    /// Where a name stands or would stand.
    fn slot(&self, name: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash(name) as usize & mask;
        while let Some(row) = self.slots[slot].checked_sub(1)
            && self.list[row as usize] != name
        {
            slot = (slot + 1) & mask;
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    proptest::proptest! {
        #[test]
        fn as_a_map(words in proptest::collection::vec("[a-c0-9]{0,3}|\\PC{0,12}", 0..200)) {
            let mut names = Names::default();
            let mut map = BTreeMap::new();
            for word in &words {
                let rows = map.len() as u32;
                let row = *map.entry(word.clone()).or_insert(rows);
                proptest::prop_assert_eq!(names.insert(word), row);
            }
            let of = Names::of(names.list());
            for (word, row) in &map {
                proptest::prop_assert_eq!((names.get(word), of.get(word)), (Some(*row), Some(*row)));
            }
            proptest::prop_assert_eq!(names.get("none of them"), None);
            proptest::prop_assert_eq!(names.into_list().len(), map.len());
        }
    }
}
