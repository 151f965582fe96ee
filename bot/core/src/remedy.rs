//! The repairs that findings offer: their words and what they cost.

use kubewhy_diagnosis::finding::Action;

/// All actions.
pub const ALL: [Action; 17] = [
    Action::DeletePod,
    Action::ForceDeletePod,
    Action::EvictPod,
    Action::RemoveFinalizers,
    Action::Restart,
    Action::Undo,
    Action::Scale,
    Action::DeleteFailedPods,
    Action::Cordon,
    Action::Uncordon,
    Action::TaintOutOfService,
    Action::DeleteNode,
    Action::DeleteJob,
    Action::Suspend,
    Action::Resume,
    Action::DeleteVolumeAttachment,
    Action::DebugCopy,
];

/// How much an action can cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::IntoStaticStr, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub enum Class {
    /// Nothing that works stops working.
    Low,
    /// Something restarts, moves or stops.
    Disruptive,
    /// Data can be lost.
    DataLoss,
}

/// The action that a word names: `delete-pod`, in any case.
pub fn of_word(word: &str) -> Option<Action> {
    ALL.into_iter().find(|action| word.eq_ignore_ascii_case(<&str>::from(*action)))
}

/// The action that a verb of everyday speech means, or of kubectl: `rollback`, `kill`.
pub fn of_verb(word: &str) -> Option<Action> {
    let verb = word.to_ascii_lowercase();
    let action = match verb.as_str() {
        "rollback" | "revert" => Action::Undo,
        "delete" | "kill" => Action::DeletePod,
        "evict" => Action::EvictPod,
        "redeploy" => Action::Restart,
        "unsuspend" => Action::Resume,
        _ => return of_word(word),
    };
    Some(action)
}

/// What stands on its button. The dots say that a step follows before anything is done.
pub const fn label(action: Action) -> &'static str {
    match action {
        Action::DeletePod => "Delete the pod …",
        Action::ForceDeletePod => "Delete by force …",
        Action::EvictPod => "Evict the pod …",
        Action::RemoveFinalizers => "Remove finalizers …",
        Action::Restart => "Restart …",
        Action::Undo => "Roll back …",
        Action::Scale => "Scale …",
        Action::DeleteFailedPods => "Delete failed pods …",
        Action::Cordon => "Cordon …",
        Action::Uncordon => "Uncordon …",
        Action::TaintOutOfService => "Take out of service …",
        Action::DeleteNode => "Delete the node …",
        Action::DeleteJob => "Delete the job …",
        Action::Suspend => "Suspend …",
        Action::Resume => "Resume …",
        Action::DeleteVolumeAttachment => "Detach the volume …",
        Action::DebugCopy => "Debug copy …",
    }
}

/// What it costs at least; what it is done to can raise that.
pub const fn class(action: Action) -> Class {
    match action {
        Action::DeleteFailedPods
        | Action::Cordon
        | Action::Uncordon
        | Action::Restart
        | Action::Resume
        | Action::DebugCopy => Class::Low,
        Action::DeletePod | Action::EvictPod | Action::Undo | Action::Scale | Action::DeleteJob | Action::Suspend => {
            Class::Disruptive
        }
        Action::ForceDeletePod
        | Action::RemoveFinalizers
        | Action::TaintOutOfService
        | Action::DeleteNode
        | Action::DeleteVolumeAttachment => Class::DataLoss,
    }
}

/// What it does, in one sentence.
pub const fn effect(action: Action) -> &'static str {
    match action {
        Action::DeletePod => "The pod is asked to end and removed; a controller that owns it makes a new one.",
        Action::ForceDeletePod => "The pod is struck from the API at once, without waiting for its processes to end.",
        Action::EvictPod => "The pod is asked to go, as a drain does; a PodDisruptionBudget can refuse that.",
        Action::RemoveFinalizers => "The named finalizer is taken off, so that the object can go.",
        Action::Restart => "All pods are replaced one after the other, as the update strategy says.",
        Action::Undo => {
            "The pod template of the earlier revision is put back, and the pods are replaced one after the other."
        }
        Action::Scale => "The number of replicas is changed.",
        Action::DeleteFailedPods => "Pods that have failed and only remain as a record are removed.",
        Action::Cordon => "The node takes no new pods; those on it go on.",
        Action::Uncordon => "The node takes new pods again.",
        Action::TaintOutOfService => {
            "The node is marked as out of service: its pods are struck from the API, its volumes detached by force."
        }
        Action::DeleteNode => "The node object is removed, and with it the pods that were bound to it.",
        Action::DeleteJob => "The Job and its pods are removed.",
        Action::Suspend => "No new runs are started; where it is a Job, its pods are ended.",
        Action::Resume => "Runs are started again.",
        Action::DeleteVolumeAttachment => "The record that the volume is attached is removed.",
        Action::DebugCopy => "A copy of the pod is made, without probes and traffic.",
    }
}

/// What is lost by it at least.
pub const fn loss(action: Action) -> &'static str {
    match action {
        Action::DeletePod | Action::EvictPod => {
            "what the pod holds in memory, in emptyDir volumes and in its own file system"
        }
        Action::ForceDeletePod => {
            "what the pod holds itself; and if its processes still run, two of them can write to one volume"
        }
        Action::RemoveFinalizers => {
            "whatever the keeper of the finalizer wanted to do first, such as freeing a disk, is never done"
        }
        Action::Restart => "what the pods hold in memory and in emptyDir volumes",
        Action::Undo => "what the newest revision brought; ConfigMaps, Secrets and data stay as they are",
        Action::Scale => "what pods that are taken away hold in memory and in emptyDir volumes",
        Action::DeleteFailedPods => "their status and logs",
        Action::Cordon | Action::Uncordon => "nothing",
        Action::TaintOutOfService | Action::DeleteNode => {
            "what was not yet written to disk; if the machine still runs, two pods can write to one volume"
        }
        Action::DeleteJob => "its pods with their logs, and the record of the run",
        Action::Suspend => "the runs that fall into that time, and where it is a Job, the work of its pods so far",
        Action::Resume => "nothing; times missed meanwhile can start a run at once",
        Action::DeleteVolumeAttachment => "what was not yet written, if the volume is still mounted on its node",
        Action::DebugCopy => "nothing; the copy takes room until it is removed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_its_word() {
        for action in ALL {
            assert_eq!(of_word(<&str>::from(action)), Some(action));
            assert!(label(action).ends_with('…'));
        }
        assert_eq!(of_word("Delete-Pod"), Some(Action::DeletePod));
        assert_eq!(of_word("drop-database"), None);
        assert_eq!((of_verb("Rollback"), of_verb("restart")), (Some(Action::Undo), Some(Action::Restart)));
        assert_eq!(of_verb("look"), None);
    }
}
