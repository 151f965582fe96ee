//! The protection of storage: a claim stays while a pod uses it, a volume while it is bound to a claim.

use serde_json::Value;

use crate::object::{elements, finalizers, meta, text};
use crate::store::{Place, ShelfName, Store};

const CLAIM: &str = "kubernetes.io/pvc-protection";
const VOLUME: &str = "kubernetes.io/pv-protection";

/// Lets go what is to go and no longer used.
pub(super) fn release(store: &mut Store) {
    let claims = held(store, &ShelfName::new("", "persistentvolumeclaims"), CLAIM);
    let volumes = held(store, &ShelfName::new("", "persistentvolumes"), VOLUME);
    for claim in claims {
        if !is_used(store, &claim) {
            super::take_off(store, &claim, CLAIM);
        }
    }
    for volume in volumes {
        let bound = store.at(&volume).is_some_and(|volume| text(volume, "/status/phase") == "Bound");
        if !bound {
            super::take_off(store, &volume, VOLUME);
        }
    }
}

/// What is to go and has this finalizer.
fn held(store: &Store, kind: &ShelfName, finalizer: &str) -> Vec<Place> {
    let mut held = store.waiting();
    held.retain(|place| {
        place.shelf == *kind && store.at(place).is_some_and(|object| finalizers(object).contains(&finalizer))
    });
    held
}

/// Whether a pod that has a node and has not ended mounts the claim.
fn is_used(store: &Store, claim: &Place) -> bool {
    let mut pods = store.objects(&ShelfName::new("", "pods"), Some(&claim.namespace));
    pods.any(|pod| {
        let runs = !matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
        runs && !text(pod, "/spec/nodeName").is_empty() && mounts(pod, &claim.name)
    })
}

fn mounts(pod: &Value, claim: &str) -> bool {
    elements(pod, "/spec/volumes").iter().any(|volume| {
        let ephemeral = volume.get("ephemeral").is_some_and(|one| !one.is_null());
        text(volume, "/persistentVolumeClaim/claimName") == claim
            || ephemeral && format!("{}-{}", meta(pod, "name"), text(volume, "/name")) == claim
    })
}
