//! `secret-key-missing`.

use crate::case::{Case, Verdict};
use crate::causes::config::absent;
use crate::causes::{Code, cause};
use crate::kind::Kind;

cause! {
    /// ## What it means
    /// The pod takes a variable or a file from a key that the Secret does not have.
    /// ## Signals
    /// Waiting `CreateContainerConfigError` with `couldn't find key KEY in Secret NAMESPACE/NAME`; event `FailedMount`
    /// with `references non-existent secret key: KEY` where a volume names its items.
    /// ## Look-alikes
    /// `secret-missing`: the whole Secret is absent. `configmap-key-missing`: the same for a ConfigMap.
    /// `app-config-error`: the container starts, and the app itself misses a value.
    /// ## Fixes
    /// Name a key that the Secret has, or add the key to the Secret. The kubelet tries again by itself.
    /// ## Source
    /// pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables; pkg/volume/secret/secret.go, MakePayload.
    SecretKeyMissing, stage Config, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    absent::detect(case, Code::SecretKeyMissing, Kind::Secret, true)
}
