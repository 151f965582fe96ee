//! What the commands of a fix do to which objects.

use kubewhy_diagnosis::finding::{Action, ObjectRef};
use kubewhy_diagnosis::kind::Kind;

/// A command of a fix that does the action itself, and the objects that it names.
pub(super) struct Step {
    /// The command.
    pub(super) command: String,
    /// The objects.
    pub(super) objects: Vec<ObjectRef>,
}

impl Step {
    /// Reads a command that a rule has made. Commands of the same fix that look or do something else are passed over.
    pub(super) fn of(action: Action, command: &str) -> Option<Self> {
        let words = shlex::split(command)?;
        let mut words = words.iter().map(String::as_str).peekable();
        words.next_if_eq(&"kubectl")?;
        let mut namespace = None;
        while let Some(flag) = words.next_if(|word| matches!(*word, "-n" | "--context")) {
            let value = words.next()?;
            if flag == "-n" {
                namespace = Some(value);
            }
        }
        let words: Vec<&str> = words.collect();
        let forced = words.contains(&"--force");
        let plain: Vec<&str> = words.iter().copied().filter(|word| !word.starts_with('-')).collect();
        let (kind, names) = match (action, plain.as_slice()) {
            (Action::DeletePod | Action::EvictPod | Action::DeleteFailedPods, ["delete", kind, names @ ..])
                if !forced =>
            {
                (*kind, names)
            }
            (Action::ForceDeletePod, ["delete", kind, names @ ..]) if forced => (*kind, names),
            (Action::DeleteNode | Action::DeleteJob | Action::DeleteVolumeAttachment, ["delete", kind, names @ ..]) => {
                (*kind, names)
            }
            (Action::Cordon, ["cordon", names @ ..]) | (Action::Uncordon, ["uncordon", names @ ..]) => ("node", names),
            (Action::TaintOutOfService, ["taint", _, names @ .., _taint]) => ("node", names),
            (Action::Undo, ["rollout", "undo", target, ..])
            | (Action::Restart, ["rollout", "restart", target, ..])
            | (Action::Scale, ["scale", target, ..]) => (*target, &[] as &[&str]),
            (Action::RemoveFinalizers | Action::Suspend | Action::Resume, ["patch", rest @ ..]) => match rest {
                [target, ..] if target.contains('/') => (*target, &[] as &[&str]),
                [kind, name, ..] => (*kind, std::slice::from_ref(name)),
                _ => return None,
            },
            _ => return None,
        };
        let (kind, names) = match kind.split_once('/') {
            Some((kind, name)) => (kind, vec![name]),
            None => (kind, names.to_vec()),
        };
        let kind = Kind::from_word(kind)?;
        let namespace = namespace.filter(|_| kind.is_namespaced());
        let objects: Vec<ObjectRef> = names.into_iter().map(|name| ObjectRef::new(kind, namespace, name)).collect();
        (!objects.is_empty()).then(|| Self { command: command.to_owned(), objects })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_objects_of_a_plan_are_those_that_its_command_names() {
        for (action, command, objects) in [
            (Action::DeletePod, "kubectl -n shop delete pod cart-0", &["Pod shop/cart-0"][..]),
            (
                Action::ForceDeletePod,
                "kubectl --context 'my prod' -n shop delete pod cart-0 --grace-period=0 --force",
                &["Pod shop/cart-0"],
            ),
            (Action::Cordon, "kubectl cordon worker-1", &["Node worker-1"]),
            (Action::Undo, "kubectl -n shop rollout undo deployment/cart --to-revision=3", &["Deployment shop/cart"]),
            (Action::Scale, "kubectl -n shop scale deployment/cart --replicas=3", &["Deployment shop/cart"]),
            (
                Action::TaintOutOfService,
                "kubectl taint nodes worker-1 node.kubernetes.io/out-of-service=nodeshutdown:NoExecute",
                &["Node worker-1"],
            ),
            (
                Action::RemoveFinalizers,
                r#"kubectl -n shop patch pod cart-0 --type=json -p '[{"op":"test"}]'"#,
                &["Pod shop/cart-0"],
            ),
            (Action::Resume, "kubectl -n shop patch cronjob/report --type merge -p '{}'", &["CronJob shop/report"]),
            (Action::DeleteNode, "kubectl delete node worker-1", &["Node worker-1"]),
        ] {
            let step = Step::of(action, command).unwrap_or_else(|| panic!("{command}"));
            assert_eq!(step.objects.iter().map(ToString::to_string).collect::<Vec<_>>(), objects, "{command}");
        }
    }

    #[test]
    fn a_command_that_does_something_else_is_no_step_of_the_plan() {
        for (action, command) in [
            (Action::Cordon, "kubectl -n shop delete pod cart-0"),
            (Action::DeletePod, "kubectl -n shop delete pod cart-0 --force"),
            (Action::ForceDeletePod, "kubectl -n shop delete pod cart-0"),
            (Action::Uncordon, "kubectl get nodes"),
            (Action::DeletePod, "kubectl -n shop delete pod"),
            (Action::DeletePod, "rm -rf / # kubectl delete pod x"),
            (Action::DeletePod, "kubectl 'unclosed"),
        ] {
            assert!(Step::of(action, command).is_none(), "{command}");
        }
    }
}
