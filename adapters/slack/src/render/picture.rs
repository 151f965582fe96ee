//! Pictures as files: their names are ours to choose, as words of a cluster could end up in them.

use kubewhy_chat::Image;

use super::{File, words};
use crate::limits;

/// The longest name of a file.
const NAME: usize = 80;

/// The picture as a file with a name of letters, digits, `-`, `_` and `.`; `before` files come before it.
pub(super) fn file(image: &Image, before: usize) -> File {
    let stem = image.file.strip_suffix(".png").unwrap_or(&image.file);
    let harmless: String =
        stem.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).take(NAME).collect();
    let stem = harmless.trim_matches('.');
    let name = if stem.is_empty() { format!("picture-{}.png", before + 1) } else { format!("{stem}.png") };
    File { name, title: words::label(&image.alt, limits::PLACEHOLDER), bytes: image.png.to_vec() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kubewhy_text::Text;

    use super::*;

    #[test]
    fn the_name_of_a_picture_leads_nowhere() {
        let named = |name: &str| {
            file(&Image { file: name.to_owned(), alt: Text::from("x"), png: Arc::from([1].as_slice()) }, 0).name
        };
        assert_eq!(named("cart-0.png"), "cart-0.png");
        assert_eq!(named("../../etc/passwd"), "etcpasswd.png");
        assert_eq!(named("\u{202e}gnp.exe"), "gnp.exe.png");
        assert_eq!(named("<!here>"), "here.png");
        assert_eq!(named(""), "picture-1.png");
    }
}
