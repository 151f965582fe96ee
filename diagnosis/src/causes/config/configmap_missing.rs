//! `configmap-missing`.

use crate::case::{Case, Verdict};
use crate::causes::config::absent;
use crate::causes::{Code, cause};
use crate::kind::Kind;

cause! {
    /// ## What it means
    /// The pod takes variables or files from a ConfigMap that does not exist in its namespace.
    /// ## Signals
    /// Waiting `CreateContainerConfigError` with `configmap "N" not found` (env, envFrom); event `FailedMount` with
    /// `MountVolume.SetUp failed for volume "V" : configmap "N" not found` while the container stays
    /// `ContainerCreating`, several of a projected volume in brackets; or a required ConfigMap that cannot be found
    /// while nothing else holds the pod up.
    /// ## Look-alikes
    /// `configmap-key-missing`: the ConfigMap is there. `secret-missing`: the same for a Secret. `failed to sync
    /// configmap cache: timed out waiting for the condition` and `object "NS"/"N" not registered` are noise of a pod's
    /// start. A `FailedMount` from before the ConfigMap came is history.
    /// ## Fixes
    /// Create it in the pod's namespace, name the one that exists, or mark the reference optional.
    /// ## Source
    /// pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables; pkg/volume/configmap/configmap.go.
    ConfigmapMissing, stage Config, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    absent::detect(case, Code::ConfigmapMissing, Kind::ConfigMap, false)
}
