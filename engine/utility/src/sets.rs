//! Which members of a whole hang together: disjoint sets with halved paths, each known by its first member.

/// Union-find with halved paths; the root is the lowest member.
#[derive(Clone, Debug)]
pub(crate) struct Sets(Vec<u32>);

impl Sets {
    pub(crate) fn new(members: usize) -> Self {
        Self((0..members as u32).collect())
    }
    /// Every member by itself again.
    pub(crate) fn reset(&mut self) {
        self.0.iter_mut().zip(0..).for_each(|(up, member)| *up = member);
    }
    pub(crate) fn root(&mut self, mut member: u32) -> u32 {
        while self.0[member as usize] != member {
            let up = self.0[self.0[member as usize] as usize];
            self.0[member as usize] = up;
            member = up;
        }
        member
    }
    pub(crate) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}
