//! `configmap-key-missing`.

use crate::case::{Case, Verdict};
use crate::causes::config::absent;
use crate::causes::{Code, cause};
use crate::kind::Kind;

cause! {
    /// ## What it means
    /// The pod takes a variable or a file from a key that the ConfigMap does not have.
    /// ## Signals
    /// Waiting `CreateContainerConfigError` with `couldn't find key K in ConfigMap NS/N`; event `FailedMount` with
    /// `configmap references non-existent config key: K` where a volume names its items.
    /// ## Look-alikes
    /// `configmap-missing`: the whole ConfigMap is absent. `secret-key-missing`: the same for a Secret.
    /// `invalid-mount-path`: a subPath whose key vanished (`failed to prepare subPath`). `app-config-error`: the app
    /// itself misses a value.
    /// ## Fixes
    /// Name a key that the ConfigMap has, or add the key. The kubelet tries again by itself.
    /// ## Source
    /// pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables; pkg/volume/configmap/configmap.go, MakePayload.
    ConfigmapKeyMissing, stage Config, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    absent::detect(case, Code::ConfigmapKeyMissing, Kind::ConfigMap, true)
}
