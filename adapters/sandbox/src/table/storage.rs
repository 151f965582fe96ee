//! Volumes and what provides them.

use serde_json::Value;

use super::{
    Printer,
    column::{AGE, NAME, flag, name, number, text},
    row::{NONE, Row, UNSET, or, shown, text as text_at},
};

const CLASS_ANNOTATION: &str = "/metadata/annotations/volume.beta.kubernetes.io~1storage-class";

pub(super) const PERSISTENT_VOLUME: Printer = Printer {
    columns: &[
        NAME,
        text("Capacity"),
        text("Access Modes"),
        text("Reclaim Policy"),
        text("Status"),
        text("Claim"),
        text("StorageClass"),
        text("VolumeAttributesClass"),
        text("Reason"),
        AGE,
        text("VolumeMode").wide(),
    ],
    cells: |row| {
        let claim = row
            .object
            .pointer("/spec/claimRef")
            .map_or_else(String::new, |claim| format!("{}/{}", text_at(claim, "/namespace"), text_at(claim, "/name")));
        vec![
            row.name(),
            quantity(row, "/spec/capacity/storage").into(),
            access_modes(row, "/spec/accessModes").into(),
            row.text("/spec/persistentVolumeReclaimPolicy").into(),
            phase(row).into(),
            claim.into(),
            storage_class(row).into(),
            row.text_or("/spec/volumeAttributesClassName", UNSET).into(),
            row.text("/status/reason").into(),
            row.age(),
            row.text_or("/spec/volumeMode", UNSET).into(),
        ]
    },
};

pub(super) const PERSISTENT_VOLUME_CLAIM: Printer = Printer {
    columns: &[
        NAME,
        text("Status"),
        text("Volume"),
        text("Capacity"),
        text("Access Modes"),
        text("StorageClass"),
        text("VolumeAttributesClass"),
        AGE,
        text("VolumeMode").wide(),
    ],
    cells: |row| {
        let volume = row.text("/spec/volumeName");
        let (capacity, modes) = if volume.is_empty() {
            (String::new(), String::new())
        } else {
            (quantity(row, "/status/capacity/storage"), access_modes(row, "/status/accessModes"))
        };
        vec![
            row.name(),
            phase(row).into(),
            volume.into(),
            capacity.into(),
            modes.into(),
            storage_class(row).into(),
            row.text_or("/spec/volumeAttributesClassName", UNSET).into(),
            row.age(),
            row.text_or("/spec/volumeMode", UNSET).into(),
        ]
    },
};

fn phase<'a>(row: &Row<'a>) -> &'a str {
    if row.is_deleted() { "Terminating" } else { row.text("/status/phase") }
}

fn storage_class<'a>(row: &Row<'a>) -> &'a str {
    or(row.text(CLASS_ANNOTATION), row.text("/spec/storageClassName"))
}

fn quantity(row: &Row<'_>, pointer: &str) -> String {
    row.object.pointer(pointer).map_or_else(|| "0".to_owned(), shown)
}

/// Access modes in their short form and fixed order.
fn access_modes(row: &Row<'_>, pointer: &str) -> String {
    let modes = row.items(pointer);
    [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")]
        .iter()
        .filter(|(long, _)| modes.iter().any(|mode| mode.as_str() == Some(long)))
        .map(|(_, short)| *short)
        .collect::<Vec<_>>()
        .join(",")
}

pub(super) const STORAGE_CLASS: Printer = Printer {
    columns: &[
        NAME,
        text("Provisioner"),
        text("ReclaimPolicy"),
        text("VolumeBindingMode"),
        text("AllowVolumeExpansion"),
        AGE,
    ],
    cells: |row| {
        let is_default = ["storageclass", "storageclass.beta"]
            .iter()
            .any(|word| row.text(&format!("/metadata/annotations/{word}.kubernetes.io~1is-default-class")) == "true");
        let name = row.text("/metadata/name");
        vec![
            if is_default { format!("{name} (default)").into() } else { name.into() },
            row.text("/provisioner").into(),
            row.text_or("/reclaimPolicy", "Delete").into(),
            row.text_or("/volumeBindingMode", "Immediate").into(),
            row.flag("/allowVolumeExpansion").unwrap_or(false).into(),
            row.age(),
        ]
    },
};

pub(super) const VOLUME_ATTRIBUTES_CLASS: Printer = Printer {
    columns: &[NAME, text("DriverName"), AGE],
    cells: |row| vec![row.name(), row.text("/driverName").into(), row.age()],
};

pub(super) const VOLUME_ATTACHMENT: Printer = Printer {
    columns: &[NAME, name("Attacher"), text("PV"), text("Node"), flag("Attached"), AGE],
    cells: |row| {
        vec![
            row.name(),
            row.text("/spec/attacher").into(),
            row.text("/spec/source/persistentVolumeName").into(),
            row.text("/spec/nodeName").into(),
            row.flag("/status/attached").unwrap_or(false).into(),
            row.age(),
        ]
    },
};

pub(super) const CSI_NODE: Printer = Printer {
    columns: &[NAME, number("Drivers"), AGE],
    cells: |row| vec![row.name(), row.count("/spec/drivers").into(), row.age()],
};

pub(super) const CSI_DRIVER: Printer = Printer {
    columns: &[
        NAME,
        flag("AttachRequired"),
        flag("PodInfoOnMount"),
        flag("StorageCapacity"),
        text("TokenRequests"),
        flag("RequiresRepublish"),
        text("Modes"),
        AGE,
    ],
    cells: |row| {
        let modes: Vec<&str> = row.items("/spec/volumeLifecycleModes").iter().filter_map(Value::as_str).collect();
        let modes = modes.join(",");
        let tokens = row.object.pointer("/spec/tokenRequests").and_then(Value::as_array);
        let tokens = tokens.map_or_else(|| UNSET.to_owned(), |tokens| super::row::joined(tokens, "/audience", ","));
        vec![
            row.name(),
            row.flag("/spec/attachRequired").unwrap_or(true).into(),
            row.flag("/spec/podInfoOnMount").unwrap_or(false).into(),
            row.flag("/spec/storageCapacity").unwrap_or(false).into(),
            tokens.into(),
            row.flag("/spec/requiresRepublish").unwrap_or(false).into(),
            or(&modes, NONE).into(),
            row.age(),
        ]
    },
};

pub(super) const CSI_STORAGE_CAPACITY: Printer = Printer {
    columns: &[NAME, text("StorageClassName"), text("Capacity")],
    cells: |row| {
        let capacity = row.object.get("capacity").map_or_else(|| UNSET.to_owned(), shown);
        vec![row.name(), row.text("/storageClassName").into(), capacity.into()]
    },
};
