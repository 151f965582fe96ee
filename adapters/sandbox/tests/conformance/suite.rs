//! The requests: YAML files, one per area, each with a namespace of its own.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;
use serde_json::Value;

/// One file of requests, sent in order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Area {
    /// What stands before a path that begins with `~`.
    pub(crate) base: String,
    /// Variables every step may use, besides `ns` and `run`.
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, Value>,
    /// The requests.
    pub(crate) steps: Vec<Step>,
    /// The file's name without its ending.
    #[serde(skip)]
    pub(crate) name: String,
}

/// One request and what of its answer is compared.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// What is asked, unique in its file.
    pub(crate) name: String,
    /// The row of the table it counts in.
    pub(crate) behaviour: String,
    /// Method, blank, path with its query.
    pub(crate) send: String,
    /// `json`, `merge`, `strategic` or `apply`: the content type of a patch.
    #[serde(default)]
    pub(crate) patch: Option<String>,
    /// Further headers.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// A JSON body.
    #[serde(default)]
    pub(crate) body: Option<Value>,
    /// A body sent as it stands.
    #[serde(default)]
    pub(crate) text: Option<String>,
    /// Variables taken from the answer: name to JSON pointer.
    #[serde(default)]
    pub(crate) capture: BTreeMap<String, String>,
    /// Fields compared besides code, Status, metadata and names: JSON pointers, `*` for every element.
    #[serde(default)]
    pub(crate) compare: Vec<String>,
    /// Whether the text of a Status is compared.
    #[serde(default)]
    pub(crate) message: Message,
    /// Keys of elements that may be missing: the sandbox serves fewer resources, those it serves are equal.
    #[serde(default)]
    pub(crate) subset: bool,
    /// Asked again until this holds: what controllers do takes a real cluster a while.
    #[serde(default)]
    pub(crate) until: Option<Until>,
    /// Requests sent once a watch is open.
    #[serde(default)]
    pub(crate) during: Vec<Request>,
    /// The reason of a stated difference.
    #[serde(default)]
    pub(crate) differs: Option<String>,
}

impl Step {
    /// The request of this step.
    pub(crate) fn request(&self) -> Request {
        Request {
            send: self.send.clone(),
            patch: self.patch.clone(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            text: self.text.clone(),
        }
    }
}

/// A raw request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// Method, blank, path with its query.
    pub(crate) send: String,
    /// `json`, `merge`, `strategic` or `apply`: the content type of a patch.
    #[serde(default)]
    pub(crate) patch: Option<String>,
    /// Further headers.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// A JSON body.
    #[serde(default)]
    pub(crate) body: Option<Value>,
    /// A body sent as it stands.
    #[serde(default)]
    pub(crate) text: Option<String>,
}

/// What an answer is waited for.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Until {
    /// An HTTP status code.
    Code(u16),
    /// A field that is there, by JSON pointer.
    Present(String),
}

/// How exactly the text of a Status is compared.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Message {
    /// Word for word.
    #[default]
    Exact,
    /// Not at all: it names types of the real server's source.
    Loose,
}

/// Reads every `*.yaml` of a folder, by name.
pub(crate) fn load(folder: &Path) -> Vec<Area> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("the folder of requests can be read")
        .map(|entry| entry.expect("the folder of requests can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Area {
    let text = fs::read_to_string(path).expect("a file of requests can be read");
    // Without it a label's "y" would be true.
    let options = serde_saphyr::options! { strict_booleans: true };
    let mut area: Area = serde_saphyr::from_str_with_options(&text, options)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    area.name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
    let mut names = std::collections::BTreeSet::new();
    for step in &area.steps {
        assert!(names.insert(&step.name), "{}: \"{}\" stands twice", path.display(), step.name);
    }
    area
}
