//! `scheduler-down`.

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::control_plane::{self, Component};

cause! {
    /// ## What it means
    /// The cluster's scheduler does not run: no new pod gets a node, what runs goes on.
    /// ## Signals
    /// Lease `kube-system/kube-scheduler`: no holder (stopped cleanly), or not renewed for more than 15 seconds while other
    /// leases are (it is renewed every 2 seconds). Pods without condition `PodScheduled` and without event.
    /// ## Look-alikes
    /// `scheduler-not-running`: the pod names another scheduler, or nothing tells of the cluster's own. A verdict of the
    /// scheduler (`0/3 nodes are available`): it runs. No lease at all says nothing: single-server control planes need
    /// none, managed ones may hide it.
    /// ## Fixes
    /// Start kube-scheduler again: its static pod's manifest, configuration, credentials.
    /// ## Source
    /// staging/src/k8s.io/client-go/tools/leaderelection/leaderelection.go (release: empty holder, duration 1 s);
    /// <https://kubernetes.io/docs/concepts/architecture/leases/>
    SchedulerDown, stage Cluster, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    control_plane::on_lease(case, Component::Scheduler, Code::SchedulerDown)
}
