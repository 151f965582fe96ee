//! `no-default-storage-class`.

use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::claims::{self, Trouble, Troubled};
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef};

cause! {
    /// ## What it means
    /// A PersistentVolumeClaim names no StorageClass, and none is marked as the default (or the claim has opted out of
    /// it with an empty name), so nobody makes a volume for it.
    /// ## Signals
    /// The claim is Pending with no `storageClassName`, or with `""`; event FailedBinding `no persistent volumes
    /// available for this claim and no storage class is set`; no StorageClass has annotation
    /// `storageclass.kubernetes.io/is-default-class`.
    /// ## Look-alikes
    /// `storage-class-missing`: the claim names a class that does not exist. `pvc-no-matching-volume`: the claim asks
    /// for a volume made by hand, and there are some that do not fit.
    /// ## Fixes
    /// Mark a class as the default, or make the claim again with the name of a class. `""` switches the default off for
    /// ever.
    /// ## Source
    /// pkg/controller/volume/persistentvolume/pv_controller.go;
    /// <https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass>
    NoDefaultStorageClass, stage Volume, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    Ok(claims::troubled(case)?.iter().filter_map(|troubled| explain(case, troubled)).collect())
}

fn explain(case: &Case<'_>, troubled: &Troubled) -> Option<Finding> {
    let Trouble::NoDefaultClass { opted_out, defaults, classes, event } = &troubled.trouble else { return None };
    let claim = troubled.reference(case);
    let root = ObjectRef::virtual_("Cluster", "default StorageClass");
    let root = if *opted_out { claim.clone() } else { root };
    let why = match (opted_out, defaults.first()) {
        (true, default) => text![
            " has ",
            code("storageClassName: \"\""),
            ": that asks for a volume made by hand and switches the default class off for ever, and no volume is there",
            default.map(|default| text![" (the default class would be ", name(default), ")"]),
            "."
        ],
        (false, Some(default)) => {
            text![" names no StorageClass; ", name(default), " is the default now, and this claim has not got it."]
        }
        (false, None) if classes.is_none() => text![" names no StorageClass, and none is used by default."],
        (false, None) => text![" names no StorageClass, and no class of this cluster is marked as the default."],
    };
    let has = classes.as_ref().map(|classes| {
        if classes.is_empty() {
            text!["The cluster has no StorageClass at all, so no driver makes volumes by itself."]
        } else {
            text!["The cluster has: ", Text::names(classes.clone(), 8), "."]
        }
    });
    let title = if *opted_out {
        text!["Claim ", name(claim.path()), " has switched off the StorageClass, and no volume fits it"]
    } else {
        text!["Claim ", name(claim.path()), " names no StorageClass, and there is no default"]
    };
    let first = classes.iter().flatten().next();
    let mark = first.filter(|_| !opted_out && defaults.is_empty()).map(|class| {
        let patch = r#"{"metadata":{"annotations":{"storageclass.kubernetes.io/is-default-class":"true"}}}"#;
        Fix::safe(text![
            "mark a class as the default, for instance ",
            name(class),
            ": claims without a class then get it"
        ])
        .command(case.kubectl_cluster(["patch", "storageclass", class, "-p", patch]))
    });
    let install = classes.as_ref().filter(|classes| classes.is_empty()).map(|_| {
        Fix::safe(text!["install a storage driver with its StorageClass and mark that as the default"])
            .command(case.kubectl_cluster(["get", "storageclass,csidriver"]))
    });
    let name_one = Fix::disruptive(text![
        "make the claim again with a class by name (",
        code("spec.storageClassName"),
        ")",
        first.map(|class| text![": ", name(class)])
    ])
    .command(case.kubectl(["delete", "persistentvolumeclaim", &troubled.name]));
    Some(
        troubled
            .finding(case, Code::NoDefaultStorageClass)
            .root(root)
            .confidence(if event.is_some() || classes.is_some() { Confidence::Certain } else { Confidence::Likely })
            .title(title)
            .explain(text!["PersistentVolumeClaim ", name(claim.path()), why])
            .also(has)
            .also(Troubled::so_the_pod_waits(case))
            .evidence(event.as_deref().map(Evidence::event))
            .evidence(Evidence::field(&claim, ".spec.storageClassName", if *opted_out { "\"\"" } else { "not set" }))
            .fix(mark)
            .fix(install)
            .fix(name_one),
    )
}
