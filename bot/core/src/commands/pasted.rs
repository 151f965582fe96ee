//! A line of kubectl that a person pasted: the object that it is about is asked about. Nothing that it says is carried out.

use kubewhy_diagnosis::ask::Instance;
use kubewhy_text::{code, text};

use super::arguments::{Place, is_one_of};
use super::logs::LINES;
use super::{Command, Explain, Logs, Scan, Scope};
use crate::UserError;
use crate::line::{Line, Word};
use crate::mention;

/// The verbs after which an object, or a kind, stands.
const VERBS: [&str; 14] = [
    "get",
    "describe",
    "logs",
    "exec",
    "rollout",
    "top",
    "edit",
    "delete",
    "scale",
    "debug",
    "attach",
    "port-forward",
    "set",
    "wait",
];

/// Reads a line of kubectl from its first word `kubectl`, `k` or `oc` on; `None` where it is none. After `why` it has to have
/// its verb next: a Deployment may be called `k`.
pub(super) fn kubectl(line: &Line, at: usize, said_why: bool) -> Option<Result<Command, UserError>> {
    let words: Vec<&str> = line.words.iter().skip(at).map(|word: &Word| word.text.as_str()).collect();
    let [program, rest @ ..] = words.as_slice() else { return None };
    let verb = rest.iter().find(|word| is_one_of(word, &VERBS))?;
    if !is_one_of(program, &["kubectl", "k", "oc"]) || (said_why && rest.first() != Some(verb)) {
        return None;
    }
    let object = mention::mentioned(&words.join(" ")).into_iter().next();
    Some(match object {
        Some(object) if *verb == "logs" => {
            let previous = rest.iter().any(|word| is_one_of(word, &["-p", "--previous"]));
            let instance = if previous { Instance::Previous } else { Instance::Current };
            Ok(Command::Logs(Logs { object, container: value(rest, &["-c", "--container"]), instance, lines: LINES }))
        }
        Some(object) => Ok(Command::Explain(Explain { object })),
        None if is_one_of(verb, &["get", "top"]) => Ok(Command::Scan(listed(rest))),
        None => Err(UserError::new(text!["that line of kubectl names no object that is explained"])
            .undone("It was not run.")
            .next(text!["See ", code("help"), " for what can be asked."])),
    })
}

/// A list is asked for because something in it may be broken.
fn listed(words: &[&str]) -> Scan {
    let namespace = value(words, &["-n", "--namespace"]);
    let is_everywhere = words.iter().any(|word| matches!(*word, "-A" | "--all-namespaces"));
    let scope = match (&namespace, is_everywhere) {
        (Some(_), _) => Scope::Named,
        (None, true) => Scope::Everywhere,
        (None, false) => Scope::Here,
    };
    Scan { scope, place: Place { namespace, cluster: None } }
}

/// The value of an option, where it is a name.
fn value(words: &[&str], names: &[&str]) -> Option<String> {
    let glued = words.iter().find_map(|word| word.split_once('=').filter(|(name, _)| names.contains(name)));
    let next = || words.iter().skip_while(|word| !names.contains(word)).nth(1).copied();
    let short = || words.iter().find_map(|word| word.strip_prefix("-n").filter(|_| names.contains(&"-n")));
    let value = glued.map(|(_, value)| value).or_else(next).or_else(short)?;
    mention::is_name(value).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use kubewhy_diagnosis::kind::Kind;

    use super::super::tests::{error, ok, pod_cart, wanted};
    use super::*;

    #[test]
    fn a_pasted_line_of_kubectl_asks_about_its_object() {
        for line in [
            "kubectl describe pod cart -n shop",
            "$ kubectl -n shop get po/cart -o yaml",
            "k delete pod cart --namespace=shop",
            "`kubectl exec -it cart -n shop -- sh`",
            "/why kubectl describe pod cart -nshop",
        ] {
            assert_eq!(ok(line), Command::Explain(Explain { object: pod_cart() }), "{line}");
        }
        let logs = Logs {
            object: wanted(Some(Kind::Deployment), "cart", Some("shop")),
            container: Some("app".to_owned()),
            instance: Instance::Previous,
            lines: LINES,
        };
        assert_eq!(ok("kubectl logs -f deploy/cart -c app -n shop --previous"), Command::Logs(logs));
    }

    #[test]
    fn a_pasted_list_is_a_scan_and_what_is_no_question_is_refused() {
        assert_eq!(ok("kubectl get pods -n shop").to_string(), "scan -n shop");
        assert_eq!(ok("k get po -A").to_string(), "scan everywhere");
        assert_eq!(ok("kubectl get all").to_string(), "scan");
        assert!(error("kubectl edit svc -n shop").to_string().contains("not run"));
        let service = wanted(Some(Kind::Service), "cart", Some("shop"));
        assert_eq!(ok("kubectl edit svc cart -n shop"), Command::Explain(Explain { object: service }));
        assert_eq!(ok("why k -n shop"), Command::Explain(Explain { object: wanted(None, "k", Some("shop")) }));
    }
}
