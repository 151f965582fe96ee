//! Names, uids, hashes and addresses that look random and are not: the same words give the same.

use std::fmt::Write as _;

/// The letters of names that Kubernetes generates.
const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// A source of bits that follows from words.
#[derive(Clone, Debug)]
pub(crate) struct Seed(u64);

impl Seed {
    /// The seed of these words, in their order.
    pub(crate) fn of(words: &[&str]) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for word in words {
            for byte in word.bytes().chain([0xff]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        Self(hash)
    }

    /// The next 64 bits (splitmix64).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below a bound.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// Letters as in generated names: `x2x4z`.
    pub(crate) fn letters(&mut self, count: usize) -> String {
        let letter = |bits: u64| LETTERS.get(usize::try_from(bits % 27).unwrap_or_default()).copied().unwrap_or(b'x');
        (0..count).map(|_| char::from(letter(self.next()))).collect()
    }

    /// Lower-case hexadecimal digits.
    pub(crate) fn hex(&mut self, count: usize) -> String {
        let mut out = String::with_capacity(count + 16);
        while out.len() < count {
            // Writing to a String cannot fail.
            let _ = write!(out, "{:016x}", self.next());
        }
        out.truncate(count);
        out
    }

    /// A UUID of version 4.
    pub(crate) fn uid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        let variant = 0x8000 | (low >> 48) & 0x3fff;
        format!(
            "{:08x}-{:04x}-4{:03x}-{variant:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            low & 0xffff_ffff_ffff
        )
    }
}

/// The address of a node: its own where the name ends in a number, one of many otherwise.
pub(crate) fn node_address(node: &str) -> String {
    let digits = node.rsplit('-').next().and_then(|end| end.parse::<u8>().ok());
    match digits {
        Some(number) if node.starts_with("control-plane") => format!("10.0.0.{}", number.saturating_add(9)),
        Some(number) if node.starts_with("worker-") => format!("10.0.0.{}", number.saturating_add(20)),
        _ => format!("10.0.0.{}", 60 + Seed::of(&["node", node]).below(190)),
    }
}

/// The third part of the addresses of a node's pods.
pub(crate) fn node_subnet(node: &str) -> u64 {
    node_address(node).rsplit('.').next().and_then(|end| end.parse().ok()).unwrap_or_default()
}

/// The address of a pod.
pub(crate) fn pod_address(node: &str, uid: &str) -> String {
    format!("10.244.{}.{}", node_subnet(node), 2 + Seed::of(&["ip", uid]).below(250))
}

/// An image's name with its registry: `docker.io/shop/cart:1.4.2`.
pub(crate) fn full_image(image: &str) -> String {
    let (first, rest) = image.split_once('/').map_or((image, None), |(first, rest)| (first, Some(rest)));
    let is_host = first.contains(['.', ':']) || first == "localhost";
    let full = match rest {
        Some(_) if is_host => image.to_owned(),
        Some(_) => format!("docker.io/{image}"),
        None => format!("docker.io/library/{image}"),
    };
    let last = full.rsplit('/').next().unwrap_or_default();
    if last.contains([':', '@']) { full } else { format!("{full}:latest") }
}

/// The digest form that a runtime reports for an image.
pub(crate) fn image_id(image: &str) -> String {
    let full = full_image(image);
    if full.contains('@') {
        return full;
    }
    let repository = full.rsplit_once(':').map_or(full.as_str(), |(repository, _)| repository);
    format!("{repository}@sha256:{}", Seed::of(&["image", &full]).hex(64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_give_the_same_and_others_something_else() {
        assert_eq!(Seed::of(&["a", "b"]).uid(), Seed::of(&["a", "b"]).uid());
        assert_ne!(Seed::of(&["a", "b"]).uid(), Seed::of(&["ab"]).uid());
        let uid = Seed::of(&["x"]).uid();
        assert_eq!(uid.len(), 36);
        assert_eq!(uid.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&uid.as_bytes()[19]), "{uid}");
    }

    #[test]
    fn images_get_their_registry_as_containerd_writes_it() {
        for (image, full) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("shop/cart:1", "docker.io/shop/cart:1"),
            ("ghcr.io/shop/cart:1", "ghcr.io/shop/cart:1"),
            ("localhost:5000/cart", "localhost:5000/cart:latest"),
        ] {
            assert_eq!(full_image(image), full);
        }
        assert!(image_id("ghcr.io/shop/cart:1").starts_with("ghcr.io/shop/cart@sha256:"));
    }
}
