//! What storage drivers say in words of their own, and what a person does about it with that very driver.

use k8s_openapi::api::core::v1::{Node, PersistentVolume};
use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, shell_quoted};
use crate::facts::mounts::{self, Holdup};
use crate::finding::Fix;
use crate::pods;
use crate::reader::{Needs, Read};

/// A trouble that is known by the driver's words.
pub(crate) struct Known {
    /// What it means.
    pub(crate) means: Text,
    /// The first step.
    pub(crate) fix: Fix,
}

/// What the driver's words mean, where they are known.
pub(crate) fn known(case: &Case<'_>, holdup: &Holdup) -> Result<Option<Known>, Needs> {
    let lower = holdup.error.to_ascii_lowercase();
    let has = |any: &[&str]| any.iter().any(|words| lower.contains(words));
    if is_of_secrets_store(&lower) {
        return Ok(Some(secrets_store(case, holdup, &lower)));
    }
    if is_zone_mismatch(&lower) {
        return zone(case, holdup).map(Some);
    }
    Ok(if has(&["is still being used", "rbd: image is locked", "watchers"]) && has(&["rbd"]) {
        Some(block_device_in_use(&holdup.error))
    } else if has(&["missing configuration for cluster id", "failed to fetch monitor list", "rados: ret="]) {
        Some(ceph(case))
    } else if has(&["stale file handle", "stale nfs file handle"]) {
        Some(stale(case))
    } else if has(&["iscsi"]) {
        Some(iscsi(case))
    } else if has(&["not ready for workloads", "longhorn"]) {
        Some(longhorn(case, holdup))
    } else {
        None
    })
}

fn is_of_secrets_store(lower: &str) -> bool {
    ["secrets-store", "secrets store", "secretproviderclass", "keyvault", "key vault"]
        .iter()
        .any(|words| lower.contains(words))
}

/// The `SecretProviderClass` that a volume of the pod names.
fn provider_class(case: &Case<'_>, volume: &str) -> Option<String> {
    let spec = case.pod().and_then(pods::spec)?;
    let own = spec.volumes.iter().flatten().find(|own| own.name == volume)?;
    own.csi.as_ref()?.volume_attributes.as_ref()?.get("secretProviderClass").cloned()
}

fn secrets_store(case: &Case<'_>, holdup: &Holdup, lower: &str) -> Known {
    let has = |any: &[&str]| any.iter().any(|words| lower.contains(words));
    let class = provider_class(case, &holdup.volume);
    let called = class.as_ref().map(|class| text![" ", name(class.clone())]);
    let look = match &class {
        Some(class) => case.kubectl(["get", "secretproviderclass", class, "-o", "yaml"]),
        None => case.kubectl(["get", "secretproviderclasses"]),
    };
    let provider_missing = has(&["provider not found", "provider plugin", "no such provider", "providers/", ".sock"]);
    let class_missing = has(&["secretproviderclass"]) && has(&["not found"]);
    let (means, advice) = if class_missing {
        (
            text![
                "The SecretProviderClass",
                called.clone(),
                " that the volume names does not exist in this namespace."
            ],
            text!["make SecretProviderClass", called, " in the pod's namespace, or correct its name in the volume"],
        )
    } else if provider_missing {
        (
            text![
                "The secrets store driver runs, and the provider (Azure, AWS, GCP, Vault) that it hands on to does not."
            ],
            text![
                "install the provider of SecretProviderClass",
                called,
                " on the node: its DaemonSet, beside the driver's"
            ],
        )
    } else if has(&[
        "nmi",
        "identity",
        "aadsts",
        "forbidden",
        "accessdenied",
        "permission",
        "unauthorized",
        "403",
        "401",
    ]) {
        (
            text![
                "The identity that the pod takes to the secret store is not found there, or may not read the secrets."
            ],
            text![
                "see that the identity which SecretProviderClass",
                called,
                " names exists, is bound to the pod (its ServiceAccount or pod identity), and may read those secrets \
                 in the vault"
            ],
        )
    } else {
        (
            text!["The volume is filled from a secret store outside of the cluster, and its provider could not do it."],
            text![
                "compare SecretProviderClass",
                called,
                " (vault, identity, names of the objects) with what is in the secret store"
            ],
        )
    };
    let service_account = case.pod().and_then(pods::spec).and_then(|spec| spec.service_account_name.clone());
    let service_account = service_account.unwrap_or_else(|| "default".to_owned());
    let fix = Fix::safe(advice).command(look).command(case.kubectl([
        "get",
        "serviceaccount",
        &service_account,
        "-o",
        "yaml",
    ]));
    Known { means, fix }
}

fn is_zone_mismatch(lower: &str) -> bool {
    let words = [
        "zonemismatch",
        "not in the same availability zone",
        "not in the same zone",
        "in a different zone",
        "in different zone",
        "zone of the disk",
    ];
    words.iter().any(|it| lower.contains(it))
}

/// The zone that a label names.
fn zone_label<'l>(labels: impl IntoIterator<Item = (&'l String, &'l String)>) -> Option<String> {
    labels.into_iter().find(|(key, _)| key.ends_with("/zone")).map(|(_, zone)| zone.clone())
}

fn zone_of(volume: &PersistentVolume) -> Option<String> {
    let required = volume.spec.as_ref().and_then(|spec| spec.node_affinity.as_ref()?.required.as_ref());
    let terms = required.into_iter().flat_map(|required| &required.node_selector_terms);
    let mut rules = terms.flat_map(|term| term.match_expressions.iter().flatten());
    let of_zone = rules.find(|rule| rule.key.ends_with("/zone"));
    let named = of_zone.and_then(|rule| rule.values.iter().flatten().next().cloned());
    named.or_else(|| zone_label(volume.metadata.labels.iter().flatten()))
}

fn zone(case: &Case<'_>, holdup: &Holdup) -> Result<Known, Needs> {
    let node = mounts::node_name(case);
    let (machine, volume) = (case.get::<Node>(None, &node), case.get::<PersistentVolume>(None, &holdup.volume));
    let (machine, volume) = (machine?, volume?);
    let of_node = match &machine {
        Read::Found(machine) => zone_label(machine.metadata.labels.iter().flatten()),
        Read::Absent | Read::Unreadable => None,
    };
    let of_volume = match &volume {
        Read::Found(volume) => zone_of(volume),
        Read::Absent | Read::Unreadable => None,
    };
    let node_in = of_node.map(|zone| text![" is in zone ", name(zone)]);
    let selector = text![code("nodeSelector: {topology.kubernetes.io/zone: ...}")];
    let there = of_volume.clone().map(|zone| text![" (", name(zone), ")"]);
    let unbound = (matches!(volume, Read::Found(_)) && of_volume.is_none())
        .then(|| text![" Its PersistentVolume names no zone, so the scheduler could not know."]);
    let means = text![
        "A disk can be attached only to machines of its own zone, and the volume is in another zone than node ",
        name(&node),
        node_in,
        ".",
        unbound
    ];
    let fix = Fix::disruptive(text![
        "let the pod run in the volume's zone",
        there,
        ": give the PersistentVolume a nodeAffinity for that zone (it then binds the pod), or the pod a ",
        selector,
        "; or restore a snapshot of the disk into the zone of the node"
    ])
    .command(case.kubectl_cluster(["get", "nodes", "-L", "topology.kubernetes.io/zone"]))
    .command(case.kubectl_cluster(["get", "persistentvolume", &holdup.volume, "-o", "yaml"]));
    Ok(Known { means, fix })
}

fn block_device_in_use(error: &str) -> Known {
    let image = error.split_once("rbd image ").and_then(|(_, rest)| rest.split_once(" is still being used"));
    let image = image.map(|(image, _)| image.trim().to_owned()).filter(|image| !image.is_empty());
    let called = image.clone().map(|image| text![" ", name(image)]);
    let means = text![
        "Another machine still has the Ceph block device open (a watcher): mostly a node on which the pod ran before \
         and that was lost."
    ];
    let mut fix = Fix::safe(text![
        "see who watches image",
        called,
        "; end the pod or mapping there, and fence that client (ceph osd blocklist) only once its machine is down"
    ]);
    if let Some(image) = image {
        fix = fix.command(format!("rbd status {}", shell_quoted(&image)));
    }
    Known { means, fix }
}

fn ceph(case: &Case<'_>) -> Known {
    Known {
        means: text!["The Ceph driver cannot use its cluster: monitors, cluster id or credentials do not suit."],
        fix: Fix::safe(text![
            "compare the clusterID of the volume with ConfigMap ceph-csi-config, and the user in the driver's Secret \
             with the Ceph cluster"
        ])
        .command(case.kubectl_cluster([
            "get",
            "configmaps",
            "-A",
            "--field-selector",
            "metadata.name=ceph-csi-config",
        ])),
    }
}

fn stale(case: &Case<'_>) -> Known {
    let node = mounts::node_name(case);
    Known {
        means: text![
            "The node holds an older mount of the file server that is no longer good: what was exported there has \
             been removed, replaced or moved."
        ],
        fix: Fix::disruptive(text![
            "see that the server still exports that path; then on node ",
            name(&node),
            " find the stale mount and take it off (",
            code("umount -l PATH"),
            "); it is made again by itself"
        ])
        .command("findmnt -t nfs,nfs4,cifs,ceph".to_owned()),
    }
}

fn iscsi(case: &Case<'_>) -> Known {
    let node = mounts::node_name(case);
    Known {
        means: text![
            "The volume comes over iSCSI: the node needs the initiator (open-iscsi) running, and the target must answer \
             and let it in."
        ],
        fix: Fix::safe(text![
            "on node ",
            name(&node),
            ", see that the iSCSI initiator (open-iscsi or iscsi-initiator-utils) is installed and iscsid runs, and \
             that the target answers"
        ])
        .command("systemctl status iscsid; iscsiadm -m session; iscsiadm -m node".to_owned()),
    }
}

fn longhorn(case: &Case<'_>, holdup: &Holdup) -> Known {
    let volume = holdup.volume.as_str();
    let mut fix = Fix::safe(text![
        "see the state and robustness of the Longhorn volume and of its replicas: enough schedulable nodes and disk, \
         instance managers running"
    ]);
    if volume.is_empty() {
        fix = fix.command(case.kubectl_in("longhorn-system", ["get", "volumes.longhorn.io"]));
    } else {
        let label = format!("longhornvolume={volume}");
        fix = fix
            .command(case.kubectl_in("longhorn-system", ["get", "volumes.longhorn.io", volume, "-o", "wide"]))
            .command(case.kubectl_in("longhorn-system", ["get", "replicas.longhorn.io", "-l", &label]));
    }
    Known {
        means: text![
            "Longhorn does not hand the volume out yet: it is still detaching from another node, is being rebuilt, or \
             has no healthy replica (faulted)."
        ],
        fix: fix.command(case.kubectl_in("longhorn-system", ["get", "pods", "-o", "wide"])),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_of_secrets_store, is_zone_mismatch};

    #[test]
    fn words_of_drivers_are_known() {
        assert!(is_zone_mismatch(
            "invalidvolume.zonemismatch: the volume 'vol-1' is not in the same availability zone"
        ));
        assert!(!is_zone_mismatch("volume \"vol-1\" not found in zone"));
        assert!(is_of_secrets_store("failed to mount secrets store objects for pod shop/cart"));
        assert!(!is_of_secrets_store("secret \"cart\" not found"));
    }
}
