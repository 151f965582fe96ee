//! `invalid-image-name`.

use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::owner;
use crate::facts::pull::{self, Pull};
use crate::finding::{Finding, Fix};
use crate::parse::image::{Flaw, ImageRef};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The image reference cannot be read at all, so no registry was ever asked: upper-case letters in the repository,
    /// a scheme such as `https://` in front, a space, an empty tag, or a variable that a template did not fill in.
    /// ## Signals
    /// Waiting `InvalidImageName` with `Failed to apply default image tag "IMG": couldn't parse image name "IMG":
    /// invalid reference format` (`repository name (..) must be lowercase`); event `InspectFailed` with the same text;
    /// from a runtime `failed to parse image reference "IMG"`, and CRI-O's short names that resolve to no registry
    /// (`short-name "IMG" did not resolve to an alias`).
    /// ## Look-alikes
    /// `image-not-found`: the reference is readable, and the registry has no such image.
    /// ## Fixes
    /// Write the reference as `registry/repository:tag`, repository in lower case, every variable filled in.
    /// ## Source
    /// pkg/kubelet/images/image_manager.go and pkg/util/parsers/parsers.go.
    InvalidImageName, stage Image, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let pulls = pull::of_code(case, Code::InvalidImageName)?;
    pulls.iter().map(|pull| explain(case, pull)).collect()
}

fn explain(case: &Case<'_>, pull: &Pull<'_>) -> Result<Finding, Needs> {
    let flaw = ImageRef::parse(&pull.image).err();
    let owner = owner::top(case)?;
    let corrected = flaw.and_then(|flaw| corrected(&pull.image, flaw));
    let advice = corrected.clone().map_or_else(
        || text!["write the image as registry/repository:tag, in lowercase, with every variable filled in"],
        |corrected| text!["write the image as ", code(corrected), ", in lowercase and without extras"],
    );
    let command = match &corrected {
        Some(corrected) => owner::set_image(case, &owner, pull.container.name(), corrected),
        None => owner::edit(case, &owner),
    };
    let mut fix = Fix::disruptive(advice);
    fix.commands.extend(command);
    Ok(pull
        .finding(case, Code::InvalidImageName)
        .title(text!["Image name ", quoted(pull.image.clone()), " is not valid"])
        .explain(text![
            "Container ",
            name(pull.container.name()),
            " names an image that cannot be read as an image reference: ",
            what(flaw),
            ". No registry was asked."
        ])
        .also(pull.said())
        .fix(fix))
}

fn what(flaw: Option<Flaw>) -> Text {
    match flaw {
        Some(Flaw::Empty) => text!["it is empty"],
        Some(Flaw::Placeholder) => text!["it still has a variable or template in it that nothing has filled in"],
        Some(Flaw::Scheme) => text!["a scheme such as https:// stands in front of it"],
        Some(Flaw::Whitespace) => text!["it has a space or line break in it"],
        Some(Flaw::UpperCase) => text!["the repository has upper-case letters"],
        Some(Flaw::EmptyTag) => text!["there is a colon with no tag behind it"],
        Some(Flaw::BadTag) => text!["its tag has characters that no tag may have"],
        Some(Flaw::BadDigest) => text!["its digest is not sha256: and 64 hexadecimal digits"],
        Some(Flaw::Other) => text!["it is not of the form registry/repository:tag"],
        None => text!["the node's container runtime cannot tell which registry it means"],
    }
}

/// The reference as it was probably meant, where that can be told.
fn corrected(image: &str, flaw: Flaw) -> Option<String> {
    let candidate = match flaw {
        Flaw::Scheme => image.split_once("://")?.1.to_owned(),
        Flaw::Whitespace => image.split_whitespace().collect(),
        Flaw::EmptyTag => image.trim_end_matches(':').to_owned(),
        Flaw::UpperCase => match image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
            Some((path, tag)) => format!("{}:{tag}", path.to_lowercase()),
            None => image.to_lowercase(),
        },
        Flaw::Empty | Flaw::Placeholder | Flaw::BadTag | Flaw::BadDigest | Flaw::Other => return None,
    };
    ImageRef::parse(&candidate).is_ok().then_some(candidate)
}
