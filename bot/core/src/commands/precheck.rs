//! `precheck [KIND] NAME image=... replicas=...`: would this change start here?

use std::fmt;

use kubewhy_text::{quoted, text};

use super::arguments::{Arguments, short};
use super::{Command, Feature, Spec};
use crate::UserError;
use crate::resolve::Wanted;

/// The longest image reference, in bytes.
const LONGEST_IMAGE: usize = 512;

/// Whether a change would start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Precheck {
    /// The workload.
    pub object: Wanted,
    /// The changes, at least one.
    pub proposals: Vec<Proposal>,
}

/// A change that is thought of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposal {
    /// Another image.
    Image {
        /// The container; without it, the only one.
        container: Option<String>,
        /// The image.
        image: String,
    },
    /// Another number of replicas.
    Replicas(u32),
}

pub(super) const SPEC: Spec = Spec {
    word: "precheck",
    aliases: &["check"],
    usage: "precheck [KIND] NAME [image=[CONTAINER=]IMAGE] [replicas=NUMBER]",
    help: "would this change start here?",
    example: "precheck deploy cart -n shop image=registry.example/cart:v2",
    needs: Feature::Precheck,
    parse,
};

fn parse(arguments: &mut Arguments<'_>) -> Result<Command, UserError> {
    let is_proposal = arguments.peek().is_some_and(|word| word.contains('='));
    let object = if is_proposal { None } else { arguments.object(&[])? };
    let mut proposals = Vec::new();
    while let Some(word) = arguments.peek() {
        if arguments.take_place()? {
            continue;
        }
        proposals.push(proposal(arguments, word)?);
        arguments.take();
    }
    let object = arguments.settle(object)?;
    if proposals.is_empty() {
        return Err(arguments.wrong(text!["which change? Name an image or a number of replicas"]));
    }
    Ok(Command::Precheck(Precheck { object, proposals }))
}

fn proposal(arguments: &Arguments<'_>, word: &str) -> Result<Proposal, UserError> {
    let (what, value) = word.split_once('=').ok_or_else(|| arguments.unexpected())?;
    match what.trim_start_matches('-').to_ascii_lowercase().as_str() {
        "image" => {
            let (container, image) = match value.split_once('=') {
                Some((container, image)) => (Some(arguments.name(container)?), image),
                None => (None, value),
            };
            let fits = !image.is_empty()
                && image.len() <= LONGEST_IMAGE
                && image.chars().all(|c| c.is_ascii_alphanumeric() || "-._/:@+".contains(c));
            if !fits {
                return Err(arguments.wrong(text![quoted(short(image)), " is no reference of an image"]));
            }
            Ok(Proposal::Image { container, image: image.to_owned() })
        }
        "replicas" => value
            .parse()
            .map(Proposal::Replicas)
            .map_err(|_| arguments.wrong(text![quoted(short(value)), " is no number of replicas"])),
        _ => {
            Err(arguments.wrong(text![quoted(short(what)), " cannot be checked: an image or a number of replicas can"]))
        }
    }
}

impl fmt::Display for Precheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "precheck {}", self.object)?;
        for proposal in &self.proposals {
            match proposal {
                Proposal::Image { container: Some(container), image } => write!(f, " image={container}={image}")?,
                Proposal::Image { container: None, image } => write!(f, " image={image}")?,
                Proposal::Replicas(replicas) => write!(f, " replicas={replicas}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use kubewhy_diagnosis::kind::Kind;

    use super::super::tests::{error, ok, wanted};
    use super::*;

    #[test]
    fn a_change_is_an_image_or_a_number_of_replicas() {
        assert_eq!(
            ok("precheck deploy cart image=app=Reg.example/Cart:v2 replicas=3"),
            Command::Precheck(Precheck {
                object: wanted(Some(Kind::Deployment), "cart", None),
                proposals: vec![
                    Proposal::Image { container: Some("app".to_owned()), image: "Reg.example/Cart:v2".to_owned() },
                    Proposal::Replicas(3)
                ],
            })
        );

        assert!(error("precheck deploy cart").to_string().contains("which change"));
        assert!(error("precheck deploy cart replicas=many").to_string().contains("no number"));
        assert!(error("precheck deploy cart image=").to_string().contains("no reference"));
        assert!(error("precheck deploy cart memory=1Gi").to_string().contains("cannot be checked"));
    }
}
