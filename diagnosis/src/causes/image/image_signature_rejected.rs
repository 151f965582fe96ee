//! `image-signature-rejected`.

use kubewhy_text::{code, name, text};

use crate::case::{Case, Verdict, shell_quoted};
use crate::causes::{Code, cause};
use crate::facts::pull::{self, Pull};
use crate::finding::{Finding, Fix};
use crate::pods;

cause! {
    /// ## What it means
    /// The node has a policy that wants images signed, and this one is not, or not by a key that the policy names.
    /// ## Signals
    /// Waiting `SignatureValidationFailed` with `image pull failed for IMG because the signature validation failed:
    /// WORDS`; CRI-O `Source image rejected`, `A signature was required, but no signature exists`.
    /// ## Look-alikes
    /// `admission-webhook-denied`: a webhook (cosign, Kyverno) refuses the pod before it exists. `image-unauthorized`:
    /// the registry refuses, not the node.
    /// ## Fixes
    /// Sign the image with a key that the policy trusts, or use one that is signed; the policy belongs to whoever runs
    /// nodes.
    /// ## Source
    /// CRI-O server/image_pull.go; containers-policy.json(5).
    ImageSignatureRejected, stage Image, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let pulls = pull::of_code(case, Code::ImageSignatureRejected)?;
    Ok(pulls.iter().map(|pull| explain(case, pull)).collect())
}

fn explain(case: &Case<'_>, pull: &Pull<'_>) -> Finding {
    let node = case.pod().and_then(pods::node_name).unwrap_or_default();
    pull.finding(case, Code::ImageSignatureRejected)
        .title(text!["The signature policy of node ", name(node), " rejects image ", name(pull.image.clone())])
        .explain(text![
            "Node ",
            name(node),
            " runs only images with a signature that its policy accepts, and image ",
            name(pull.image.clone()),
            " of container ",
            name(pull.container.name()),
            " has none such. The registry gave the image; the node refused it."
        ])
        .also(pull.said())
        .fix(
            Fix::safe(text!["sign the image with a key that the policy trusts"])
                .command(format!("cosign sign {}", shell_quoted(&pull.image))),
        )
        .fix(Fix::disruptive(text![
            "or have the policy of the nodes (",
            code("/etc/containers/policy.json"),
            ", ClusterImagePolicy on OpenShift) accept this repository, if that is meant"
        ]))
}
