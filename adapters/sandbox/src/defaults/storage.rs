//! Volumes and what provides them.

use serde_json::json;

use super::{Object, child, part, put, put_into};

pub(super) fn claim(claim: &mut Object) {
    put_into(claim, "spec", "volumeMode", "Filesystem");
    put_into(claim, "status", "phase", "Pending");
}

pub(super) fn volume(volume: &mut Object) {
    put_into(volume, "status", "phase", "Pending");
    let Some(spec) = child(volume, "spec") else { return };
    put(spec, "persistentVolumeReclaimPolicy", "Retain");
    put(spec, "volumeMode", "Filesystem");
    if let Some(path) = part(spec, "hostPath") {
        put(path, "type", "");
    }
}

pub(super) fn class(class: &mut Object) {
    put(class, "reclaimPolicy", "Delete");
    put(class, "volumeBindingMode", "Immediate");
}

pub(super) fn driver(driver: &mut Object) {
    let Some(spec) = child(driver, "spec") else { return };
    put(spec, "attachRequired", true);
    for switch in ["podInfoOnMount", "storageCapacity", "requiresRepublish", "seLinuxMount"] {
        put(spec, switch, false);
    }
    put(spec, "volumeLifecycleModes", json!(["Persistent"]));
    put(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
}
