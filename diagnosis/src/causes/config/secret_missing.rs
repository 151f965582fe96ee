//! `secret-missing`.

use crate::case::{Case, Verdict};
use crate::causes::config::absent;
use crate::causes::{Code, cause};
use crate::kind::Kind;

cause! {
    /// ## What it means
    /// The pod takes variables or files from a Secret that does not exist in its namespace.
    /// ## Signals
    /// Waiting `CreateContainerConfigError` with `secret "N" not found` (env, envFrom); event `FailedMount` with
    /// `MountVolume.SetUp failed for volume "V" : secret "N" not found` while the container stays `ContainerCreating`,
    /// several of a projected volume in brackets; or a required Secret that cannot be found while nothing else holds
    /// the pod up.
    /// ## Look-alikes
    /// `secret-key-missing`: the Secret is there. `image-pull-secret-missing`: only the pull of the image needs it.
    /// `volume-mount-failed`: a CSI driver misses a Secret of its own. `failed to sync secret cache: timed out waiting
    /// for the condition` is noise of a pod's start. A `FailedMount` from before the Secret came is history.
    /// ## Fixes
    /// Create it in the pod's namespace, name the one that exists, mend the operator that should make it, or mark the
    /// reference optional.
    /// ## Source
    /// pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables; pkg/volume/secret/secret.go.
    SecretMissing, stage Config, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    absent::detect(case, Code::SecretMissing, Kind::Secret, false)
}
