//! The kinds that a dump knows beyond the table: those of its objects, and those that its definitions of custom resources
//! define.

use kubewhy_diagnosis::Snapshot;
use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::vocabulary::Known;

/// The foreign kinds of a dump, and what they are called.
pub(crate) fn kinds(snapshot: &Snapshot) -> Vec<Known> {
    let mut known: Vec<Known> =
        snapshot.objects(Kind::CustomResourceDefinition).filter_map(Known::defined_by).collect();
    for kind in snapshot.kinds().filter(|kind| matches!(kind, Kind::Foreign(_))) {
        match known.iter_mut().find(|one| one.kind == kind) {
            // What the objects say of themselves (their version, their namespace) is what is read.
            Some(one) => one.kind = kind,
            None => known.push(Known::of_kind(kind)),
        }
    }
    known
}
