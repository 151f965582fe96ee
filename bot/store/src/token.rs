//! Opaque random tokens.

use std::io;

/// A token of 128 random bits, in hexadecimal: nobody can guess one.
///
/// # Errors
/// Where the system has no randomness to give.
pub(crate) fn random() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
