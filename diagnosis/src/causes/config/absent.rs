//! The sentences that the four causes about missing `ConfigMap`s, `Secret`s and keys share.

use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::Code;
use crate::facts::owner;
use crate::facts::references::{self, Missing};
use crate::finding::{Finding, Fix, ObjectRef, Severity};
use crate::kind::Kind;
use crate::nearest::nearest;
use crate::reader::Needs;

/// The findings of that code: about objects of that kind, or about keys of such.
pub(super) fn detect(case: &Case<'_>, code: Code, kind: Kind, of_key: bool) -> Verdict {
    let mut found = Vec::new();
    for missing in references::missing(case)? {
        if missing.kind == kind && missing.key.is_some() == of_key {
            found.push(explain(case, code, &missing)?);
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, code: Code, missing: &Missing) -> Result<Finding, Needs> {
    let owner = owner::top(case)?;
    let object = case.neighbour(missing.kind, &missing.object);
    let mut finding = case
        .finding(code)
        .severity(missing.severity)
        .confidence(missing.confidence)
        .since(missing.since)
        .evidence(missing.evidence.clone());
    finding.object.container.clone_from(&missing.container);
    let finding = match &missing.key {
        Some(key) => of_key(case, finding, missing, key, &object, &owner),
        None => of_object(case, finding, missing, &object, &owner)?,
    };
    if missing.severity == Severity::Info {
        return Ok(finding.also(text!["It has come in the meantime; the kubelet tries again by itself."]));
    }
    Ok(finding)
}

/// The sentence that says where the pod uses it.
fn used(case: &Case<'_>, missing: &Missing) -> Option<Text> {
    let uses = references::uses(case.pod()?, missing);
    let mut sentence = Text::default();
    for (index, part) in uses.into_iter().take(3).enumerate() {
        sentence.push(if index == 0 { "Here " } else { "; " });
        sentence.push(part);
    }
    (!sentence.is_empty()).then(|| text![sentence, "."])
}

fn held_up(missing: &Missing) -> Text {
    missing.container.clone().map_or_else(
        || text!["so its volume cannot be set up and no container of the pod can start"],
        |container| text!["so container ", name(container), " cannot be created"],
    )
}

fn kind_word(kind: Kind) -> &'static str {
    if kind == Kind::Secret { "secret" } else { "configmap" }
}

fn of_object(
    case: &Case<'_>,
    finding: Finding,
    missing: &Missing,
    object: &ObjectRef,
    owner: &ObjectRef,
) -> Result<Finding, Needs> {
    let near = references::nearest_object(case, missing)?;
    let kind = missing.kind.name();
    let rename = near.map(|near| {
        let mut fix =
            Fix::disruptive(text!["name the ", kind, " that the namespace has: did you mean ", name(near), "?"]);
        fix.commands.extend(owner::edit(case, owner));
        fix
    });
    let finding = finding
        .root(object.clone())
        .title(text![kind, " ", name(object.path()), " does not exist"])
        .explain(text![
            "The pod needs ",
            kind,
            " ",
            name(missing.object.clone()),
            ", and there is none of that name in namespace ",
            name(case.namespace().unwrap_or_default()),
            ", ",
            held_up(missing),
            "."
        ])
        .also(used(case, missing));
    if missing.object == "kube-root-ca.crt" {
        return Ok(finding
            .also(text![
                "Every namespace gets this ConfigMap from kube-controller-manager, which has not made it here."
            ])
            .fix(
                Fix::safe(text!["see whether kube-controller-manager runs and what it says of this namespace"])
                    .command(
                        case.kubectl_in(
                            "kube-system",
                            ["logs", "-l", "component=kube-controller-manager", "--tail=50"],
                        ),
                    ),
            ));
    }
    let by_operator = (missing.kind == Kind::Secret).then(|| {
        Fix::safe(text![
            "if an operator should make it (External Secrets, Sealed Secrets, cert-manager), see what that one says \
             of it"
        ])
        .command(case.kubectl([
            "get",
            "events",
            "--field-selector",
            &format!("involvedObject.name={}", missing.object),
        ]))
    });
    Ok(finding.fix(rename).fix(create(case, missing)).fix(by_operator).fix(optional(case, owner)))
}

fn create(case: &Case<'_>, missing: &Missing) -> Fix {
    let keys = case.pod().map(|pod| references::wanted_keys(pod, missing)).unwrap_or_default();
    let word = kind_word(missing.kind);
    let mut words = vec!["create", word];
    if missing.kind == Kind::Secret {
        words.push("generic");
    }
    words.push(&missing.object);
    let mut command = case.kubectl(words);
    for key in &keys {
        let literal = crate::case::shell_quoted(&format!("--from-literal={key}="));
        command = format!("{command} {literal}\"$VALUE\"");
    }
    let with = (!keys.is_empty()).then(|| text![" with ", Text::names(keys.clone(), 8)]);
    let title = text!["create ", missing.kind.name(), " ", name(missing.object.clone()), with];
    let fix = Fix::safe(text![title, "; the kubelet tries again by itself"]);
    if keys.is_empty() {
        return fix.command(case.kubectl(["get", word, "-o", "name"])).command(command + " --from-env-file=values.env");
    }
    fix.command(command)
}

fn optional(case: &Case<'_>, owner: &ObjectRef) -> Fix {
    let mut fix = Fix::disruptive(text![
        "or, if the container can do without, set ",
        code("optional: true"),
        " on the reference"
    ]);
    fix.commands.extend(owner::edit(case, owner));
    fix
}

fn of_key(
    case: &Case<'_>,
    finding: Finding,
    missing: &Missing,
    key: &str,
    object: &ObjectRef,
    owner: &ObjectRef,
) -> Finding {
    let kind = missing.kind.name();
    let near = missing.has.as_ref().and_then(|has| nearest(key, has.iter().map(String::as_str)));
    let has = missing.has.clone().map(|has| {
        if has.is_empty() {
            return text!["The ", kind, " has no keys at all."];
        }
        text!["The ", kind, " has: ", Text::names(has, 8), "."]
    });
    let rename = near.map(|near| {
        let mut fix = Fix::disruptive(text!["name the key that the ", kind, " has: did you mean ", name(near), "?"]);
        fix.commands.extend(owner::edit(case, owner));
        fix
    });
    finding
        .root(object.clone().with_detail(key))
        .title(text![kind, " ", name(object.path()), " has no key ", quoted(key)])
        .explain(text![
            "The pod needs key ",
            name(key),
            " of ",
            kind,
            " ",
            name(missing.object.clone()),
            ". The ",
            kind,
            " is there and does not have that key, ",
            held_up(missing),
            "."
        ])
        .also(used(case, missing))
        .also(has)
        .fix(rename)
        .fix(Fix::safe(text!["add key ", name(key), " to ", kind, " ", name(object.path())]).command(case.kubectl([
            "edit",
            kind_word(missing.kind),
            missing.object.as_str(),
        ])))
        .fix(optional(case, owner))
}
