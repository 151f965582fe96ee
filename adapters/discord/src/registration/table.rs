//! The commands and their options.

use super::WHY;

/// How the value of an option becomes words of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is.
    Bare,
    /// Behind a word: `-n shop`.
    After(&'static str),
    /// A word by itself, where the value is true.
    Flag(&'static str),
    /// Behind a word, a number from 1 to this.
    Number(&'static str, u64),
}

/// What Discord offers while an option is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    /// Nothing.
    Nothing,
    /// What the words so far could become: it asks us.
    Completion,
    /// One of these, and nothing else.
    These(&'static [&'static str]),
}

/// An option of a command.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) form: Form,
    pub(super) offer: Offer,
    /// A value that works.
    pub(super) example: &'static str,
}

/// A command of the grammar and its options, in the order in which Discord shows them.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its name here.
    pub(super) name: &'static str,
    /// The word that its line begins with.
    pub(super) word: &'static str,
    pub(super) description: &'static str,
    pub(super) options: &'static [Choice],
}

pub(super) const NAME: Choice = Choice {
    name: "name",
    description: "The name of the object",
    form: Form::Bare,
    offer: Offer::Completion,
    example: "cart",
};
pub(super) const KIND: Choice = Choice {
    name: "kind",
    description: "Its kind: pod, deploy, sts, job, pvc, node ... (none: all kinds are looked at)",
    form: Form::Bare,
    offer: Offer::Completion,
    example: "pod",
};
const NAMESPACE: Choice = Choice {
    name: "namespace",
    description: "Its namespace (none: those of this channel)",
    form: Form::After("-n"),
    offer: Offer::Completion,
    example: "shop",
};
const CLUSTER: Choice = Choice {
    name: "cluster",
    description: "Its cluster (none: those of this channel)",
    form: Form::After("on"),
    offer: Offer::Completion,
    example: "prod",
};
const EVERYWHERE: Choice = Choice {
    name: "everywhere",
    description: "In all namespaces",
    form: Form::Flag("everywhere"),
    offer: Offer::Nothing,
    example: "true",
};
const PREVIOUS: Choice = Choice {
    name: "previous",
    description: "Of the run before this one",
    form: Form::Flag("previous"),
    offer: Offer::Nothing,
    example: "true",
};
const CONTAINER: Choice = Choice {
    name: "container",
    description: "Of this container (none: the one that it is about)",
    form: Form::After("container"),
    offer: Offer::Nothing,
    example: "app",
};
const LINES: Choice = Choice {
    name: "lines",
    description: "How many lines",
    form: Form::Number("last", 500),
    offer: Offer::Nothing,
    example: "20",
};
const CODE: Choice = Choice {
    name: "code",
    description: "The code of a cause: secret-key-missing",
    form: Form::Bare,
    offer: Offer::Nothing,
    example: "secret-key-missing",
};
const COMMAND: Choice = Choice {
    name: "command",
    description: "The command that help is wanted about",
    form: Form::Bare,
    offer: Offer::These(&["why", "scan", "logs", "tell", "catalogue"]),
    example: "logs",
};

/// `/why`. The name is what most people type.
pub(super) const EXPLAIN: Entry = Entry {
    name: WHY,
    word: "explain",
    description: "Why it is broken: the root cause, the evidence, the fix. Without a name: what is broken now",
    options: &[NAME, KIND, NAMESPACE, CLUSTER],
};

/// The subcommands of `/kubewhy`: those commands of the grammar that work in a chat. One that comes later is an entry here.
pub(super) const SUBCOMMANDS: &[Entry] = &[
    Entry {
        name: "scan",
        word: "scan",
        description: "What is broken now, one entry per root cause",
        options: &[EVERYWHERE, NAMESPACE, CLUSTER],
    },
    Entry {
        name: "logs",
        word: "logs",
        description: "The last lines of its log, secrets taken out",
        options: &[NAME, KIND, NAMESPACE, CLUSTER, PREVIOUS, CONTAINER, LINES],
    },
    Entry {
        name: "tell",
        word: "tell",
        description: "Calls you once, here, when it is healthy",
        options: &[NAME, KIND, NAMESPACE, CLUSTER],
    },
    Entry {
        name: "catalogue",
        word: "catalogue",
        description: "What a cause means, its signals and look-alikes; without a code, all causes",
        options: &[CODE],
    },
    Entry { name: "help", word: "help", description: "What works here, and what you may do", options: &[COMMAND] },
];
