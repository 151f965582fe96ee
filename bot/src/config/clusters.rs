//! `[[clusters]]`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::platform;
use super::review::{Review, repeated, shown};

/// An entry of `[[clusters]]` as written.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawCluster {
    pub(super) name: String,
    context: String,
    kubeconfig: String,
    in_cluster: bool,
    namespaces: Vec<String>,
}

/// A cluster that can be asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSettings {
    /// Its name in questions and answers; unlike that of every other.
    pub name: String,
    /// The way to it.
    pub reach: Reach,
    /// The namespaces that may be read; empty = all that its role allows.
    pub namespaces: Vec<String>,
}

/// The way to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A kubeconfig.
    Kubeconfig {
        /// The file; `None` = `KUBECONFIG`, else `~/.kube/config`.
        file: Option<PathBuf>,
        /// The context in it; `None` = the current one.
        context: Option<String>,
    },
    /// The service account of this pod.
    InCluster,
}

pub(super) fn resolve(raw: &[RawCluster], review: &mut Review) -> Vec<ClusterSettings> {
    let clusters = raw.iter().enumerate().map(|(index, cluster)| one(index, cluster, review)).collect();
    for index in repeated(raw.iter().map(|cluster| cluster.name.as_str())) {
        let name = raw.get(index).map_or("", |cluster| cluster.name.as_str());
        review.problem(
            &format!("clusters[{index}].name"),
            format!("{} is the name of another cluster too", shown(name)),
            "give each cluster a name of its own",
        );
    }
    clusters
}

fn one(index: usize, raw: &RawCluster, review: &mut Review) -> ClusterSettings {
    let RawCluster { name, context, kubeconfig, in_cluster, namespaces } = raw;
    let key = format!("clusters[{index}]");
    let speakable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() {
        review.problem(
            &format!("{key}.name"),
            "is missing",
            "write what people call the cluster, such as name = \"prod\"",
        );
    } else if name.len() > 63 || !name.chars().all(speakable) {
        review.problem(
            &format!("{key}.name"),
            format!("{} cannot be typed as one word", shown(name)),
            "write up to 63 letters, digits, -, _ or ., such as \"prod\"; context takes the kubeconfig's name for it",
        );
    }
    if *in_cluster && (!context.is_empty() || !kubeconfig.is_empty()) {
        review.problem(
            &format!("{key}.in_cluster"),
            "is true although a kubeconfig or context is named",
            "keep one: in_cluster for the cluster around this pod, context or kubeconfig for another",
        );
    }
    platform::namespaces(review, &format!("{key}.namespaces"), namespaces);
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let reach = if *in_cluster {
        Reach::InCluster
    } else {
        Reach::Kubeconfig { file: given(kubeconfig).map(PathBuf::from), context: given(context) }
    };
    ClusterSettings { name: name.clone(), reach, namespaces: namespaces.clone() }
}
