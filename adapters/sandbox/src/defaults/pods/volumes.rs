//! Volumes of a pod.

use serde_json::json;

use super::super::{Object, each, part, put};

/// Readable by all, writable by the owner: 0644.
const FILE_MODE: i32 = 420;

pub(super) fn volume(volume: &mut Object) {
    if volume.keys().all(|key| key == "name") {
        put(volume, "emptyDir", json!({}));
    }
    for source in ["secret", "configMap"] {
        if let Some(source) = part(volume, source) {
            put(source, "defaultMode", FILE_MODE);
        }
    }
    if let Some(downward) = part(volume, "downwardAPI") {
        put(downward, "defaultMode", FILE_MODE);
        downward_items(downward);
    }
    if let Some(projected) = part(volume, "projected") {
        put(projected, "defaultMode", FILE_MODE);
        for source in each(projected, "sources") {
            if let Some(token) = part(source, "serviceAccountToken") {
                put(token, "expirationSeconds", 3600);
            }
            part(source, "downwardAPI").into_iter().for_each(downward_items);
        }
    }
    if let Some(path) = part(volume, "hostPath") {
        put(path, "type", "");
    }
    let template = part(volume, "ephemeral").and_then(|ephemeral| part(ephemeral, "volumeClaimTemplate"));
    if let Some(claim) = template.and_then(|template| part(template, "spec")) {
        put(claim, "volumeMode", "Filesystem");
    }
}

fn downward_items(downward: &mut Object) {
    for item in each(downward, "items") {
        if let Some(field) = part(item, "fieldRef") {
            put(field, "apiVersion", "v1");
        }
    }
}
