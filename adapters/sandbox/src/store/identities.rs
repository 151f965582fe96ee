//! UIDs and the ends of generated names: they look random and follow from a seed, so that a run can be repeated.

/// A source of identities.
#[derive(Debug)]
pub(super) struct Identities {
    seed: u64,
    made: u64,
}

impl Identities {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, made: 0 }
    }

    /// The next UID, in the form of a random UUID.
    pub(super) fn uid(&mut self) -> String {
        let high = scramble(self.next() ^ scramble(self.seed));
        let low = scramble(high ^ self.made);
        // The version and variant bits of a random UUID, so that nobody takes it for something else.
        let high = (high & 0xffff_ffff_ffff_0fff) | 0x4000;
        let low = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0xffff);
        format!("{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff)
    }

    /// The next end of a generated name: five letters and digits that make no words.
    pub(super) fn suffix(&mut self) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        let mut rest = scramble(self.next() ^ scramble(self.seed.rotate_left(17)));
        let mut suffix = String::new();
        for _ in 0..5 {
            let letter = usize::try_from(rest % 27).ok().and_then(|at| LETTERS.get(at));
            suffix.extend(letter.map(|byte| char::from(*byte)));
            rest /= 27;
        }
        suffix
    }

    fn next(&mut self) -> u64 {
        self.made = self.made.wrapping_add(1);
        self.made
    }
}

/// Spreads the bits of a number (the finalizer of `SplitMix64`), so that consecutive ones do not look alike.
fn scramble(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn identities_differ_within_a_store_and_between_seeds_and_repeat_with_the_seed() {
        let uids = |seed: u64| -> Vec<String> {
            let mut identities = Identities::new(seed);
            (0..1000).map(|_| identities.uid()).collect()
        };
        let all: BTreeSet<String> = [0, 1, 2].into_iter().flat_map(uids).collect();
        assert_eq!(all.len(), 3000);
        assert_eq!(uids(1), uids(1));
        assert!(all.iter().all(|uid| uid.len() == 36 && uid.chars().nth(14) == Some('4')));
    }

    #[test]
    fn a_suffix_has_five_letters() {
        let mut identities = Identities::new(7);
        let made: BTreeSet<String> = (0..1000).map(|_| identities.suffix()).collect();
        assert!(made.len() > 990 && made.iter().all(|suffix| suffix.len() == 5));
    }
}
