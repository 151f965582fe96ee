//! A request as the API sees it: verb, resource, object, options.

use std::fmt;

use http::Method;

use crate::status::Status;

/// What a request does, in the words of roles and audit logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Reads one object.
    Get,
    /// Reads a collection.
    List,
    /// Follows a collection.
    Watch,
    /// Makes an object, or posts to a subresource.
    Create,
    /// Replaces an object.
    Update,
    /// Changes parts of an object.
    Patch,
    /// Deletes an object.
    Delete,
    /// Deletes a collection.
    DeleteCollection,
}

impl Verb {
    /// The verb as a role spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }

    /// Whether the verb changes something.
    pub fn is_write(self) -> bool {
        !matches!(self, Self::Get | Self::List | Self::Watch)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A request's target and options.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) verb: Verb,
    /// The path without the query, as it was sent.
    pub(crate) path: String,
    pub(crate) query: Query,
    /// `None` for a path that names no resource, such as `/version`.
    pub(crate) target: Option<Target>,
}

/// The resource and object that a path names. Nothing says yet that they exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) group: String,
    pub(crate) version: String,
    /// Empty where the path names none.
    pub(crate) namespace: String,
    pub(crate) plural: String,
    /// Empty for a collection.
    pub(crate) name: String,
    /// Empty for the object itself.
    pub(crate) subresource: String,
}

impl Call {
    /// Understands a request line.
    pub(crate) fn parse(method: &Method, uri: &http::Uri) -> Result<Self, Status> {
        let path = uri.path().to_owned();
        let query = Query::parse(uri.query().unwrap_or_default());
        let (target, watched) = target(&path)?;
        let collection = target.as_ref().is_some_and(|target| target.name.is_empty());
        let verb = match *method {
            // Objects are not looked at by their head alone.
            Method::HEAD if target.is_some() => return Err(Status::method_not_allowed()),
            Method::GET | Method::HEAD if watched => Verb::Watch,
            Method::GET | Method::HEAD if !collection => Verb::Get,
            Method::GET | Method::HEAD if query.flag("watch") => Verb::Watch,
            Method::GET | Method::HEAD => Verb::List,
            Method::POST => Verb::Create,
            Method::PUT => Verb::Update,
            Method::PATCH => Verb::Patch,
            Method::DELETE if collection => Verb::DeleteCollection,
            Method::DELETE => Verb::Delete,
            _ if target.is_some() => return Err(Status::method_not_allowed()),
            _ => return Err(Status::new(405, "", "405: Method Not Allowed")),
        };
        Ok(Self { verb, path, query, target })
    }
}

/// The target of a path, and whether it is the old form of a watch.
fn target(path: &str) -> Result<(Option<Target>, bool), Status> {
    let mut parts = Vec::new();
    for part in path.trim_matches('/').split('/') {
        let decoded = decode(part).ok_or_else(|| Status::bad_request(format!("invalid URL escape in \"{part}\"")))?;
        parts.push(decoded);
    }
    let mut parts = parts.into_iter();
    let mut next = || parts.next().unwrap_or_default();
    let mut target = Target::default();
    match next().as_str() {
        "api" => {}
        "apis" => target.group = next(),
        _ => return Ok((None, false)),
    }
    target.version = next();
    let mut part = next();
    let watched = part == "watch";
    if watched {
        part = next();
    }
    if part.is_empty() {
        return Ok((None, false));
    }
    let mut object = next();
    let mut rest = next();
    // `namespaces/x/pods` is about pods, `namespaces/x/status` about the namespace.
    if part == "namespaces" && !rest.is_empty() && !matches!(rest.as_str(), "status" | "finalize") {
        target.namespace = object;
        part = rest;
        object = next();
        rest = next();
    }
    target.plural = part;
    target.name = object;
    target.subresource = rest;
    if target.plural == "namespaces" {
        target.namespace.clone_from(&target.name);
    }
    Ok((Some(target), watched))
}

/// The parameters behind the question mark.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let plain = |text: &str| {
            let spaced = text.replace('+', " ");
            decode(&spaced).unwrap_or(spaced)
        };
        Self(pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| (plain(k), plain(v))).collect())
    }

    /// The first value of a parameter; empty where it is not there.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Whether a parameter is there, even if empty.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// All values of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is a yes or no; an API server reads all but an absent one and these two words as a yes.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.has(name) && !matches!(self.get(name).to_ascii_lowercase().as_str(), "false" | "0")
    }

    /// A parameter that is a whole number.
    ///
    /// # Errors
    /// 400 for anything else.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Status> {
        let text = self.get(name);
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = || Status::bad_request(format!("strconv.ParseInt: parsing \"{text}\": invalid syntax"));
        text.parse().map(Some).map_err(|_| wrong())
    }
}

/// Undoes percent escapes; `None` where they make no text.
fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let high = char::from(bytes.next()?).to_digit(16)?;
        let low = char::from(bytes.next()?).to_digit(16)?;
        decoded.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &Method, uri: &str) -> Call {
        Call::parse(method, &uri.parse().expect("a URI")).expect("a call")
    }

    fn parts(uri: &str) -> [String; 6] {
        let Target { group, version, namespace, plural, name, subresource } =
            call(&Method::GET, uri).target.expect("a target");
        [group, version, namespace, plural, name, subresource]
    }

    #[test]
    fn paths_name_objects_collections_and_subresources() {
        assert_eq!(parts("/api/v1/pods"), ["", "v1", "", "pods", "", ""]);
        assert_eq!(parts("/api/v1/namespaces/a/pods/b/log"), ["", "v1", "a", "pods", "b", "log"]);
        assert_eq!(parts("/apis/apps/v1/namespaces/a/deployments"), ["apps", "v1", "a", "deployments", "", ""]);
        assert_eq!(parts("/api/v1/namespaces/a"), ["", "v1", "a", "namespaces", "a", ""]);
        assert_eq!(parts("/api/v1/namespaces/a/status"), ["", "v1", "a", "namespaces", "a", "status"]);
        assert_eq!(parts("/api/v1/nodes/n%2Fx"), ["", "v1", "", "nodes", "n/x", ""]);
        assert!(call(&Method::GET, "/version").target.is_none());
        assert!(call(&Method::GET, "/apis/apps/v1").target.is_none());
    }

    #[test]
    fn verbs_follow_method_and_query() {
        assert_eq!(call(&Method::GET, "/api/v1/pods?watch=true").verb, Verb::Watch);
        assert_eq!(call(&Method::GET, "/api/v1/pods?watch=false").verb, Verb::List);
        assert_eq!(call(&Method::GET, "/api/v1/watch/pods").verb, Verb::Watch);
        assert_eq!(call(&Method::GET, "/api/v1/namespaces/a/pods/b?watch=1").verb, Verb::Get);
        assert_eq!(call(&Method::DELETE, "/api/v1/namespaces/a/pods").verb, Verb::DeleteCollection);
        assert!(Call::parse(&Method::TRACE, &"/api/v1/pods".parse().expect("a URI")).is_err());
    }

    #[test]
    fn queries_are_decoded_and_broken_escapes_survive() {
        let query = Query::parse("labelSelector=a%3Db%2Cc&x=a+b&broken=%zz&flag");
        assert_eq!((query.get("labelSelector"), query.get("x"), query.get("broken")), ("a=b,c", "a b", "%zz"));
        assert!(query.flag("flag") && !query.flag("absent"));
        assert!(Query::parse("limit=abc").number("limit").is_err());
    }

    #[test]
    fn a_broken_escape_in_a_path_is_refused() {
        assert!(Call::parse(&Method::GET, &"/api/v1/nodes/%ff".parse().expect("a URI")).is_err());
    }
}
