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
    }
}
