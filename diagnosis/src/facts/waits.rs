//! What a container waits for, and how that is in the cluster.

use crate::ask::Instance;
use crate::case::Case;
use crate::parse::log;
use crate::parse::wait::{self, Awaited};
use crate::pods::ContainerView;
use crate::reader::{Needs, Read};

/// A waiting container: what for, and its last words.
#[derive(Debug)]
pub(crate) struct Wait {
    /// What it waits for, where that can be told.
    pub(crate) awaited: Option<Awaited>,
    /// Its command waits in a loop.
    pub(crate) loops: bool,
    /// The last lines of its log.
    pub(crate) tail: Vec<String>,
}

/// What a container waits for, by its command and its log.
///
/// # Errors
/// [`Needs`] where the log has not been asked yet.
pub(crate) fn wait_of(case: &Case<'_>, container: &ContainerView<'_>) -> Result<Wait, Needs> {
    let script = script(container);
    let tail = match case.pod() {
        Some(pod) => match case.log(pod, container.name(), Instance::Current)? {
            Read::Found(log) => log::read(&log).tail,
            Read::Absent | Read::Unreadable => Vec::new(),
        },
        None => Vec::new(),
    };
    let awaited = wait::awaited(&script).or_else(|| tail.iter().find_map(|line| wait::in_log(line)));
    Ok(Wait { awaited, loops: wait::loops(&script), tail })
}

/// Command and arguments as one script, with the variables that the pod sets itself.
pub(crate) fn script(container: &ContainerView<'_>) -> String {
    let words = container.spec.command.iter().chain(&container.spec.args).flatten();
    let mut script = words.map(String::as_str).collect::<Vec<_>>().join(" ");
    for variable in container.spec.env.iter().flatten() {
        let Some(value) = variable.value.as_deref() else { continue };
        for form in [format!("${{{}}}", variable.name), format!("$({})", variable.name), format!("${}", variable.name)]
        {
            script = script.replace(&form, value);
        }
    }
    script
}

/// A name of the cluster's DNS taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceName {
    /// The Service.
    pub(crate) name: String,
    /// Its namespace.
    pub(crate) namespace: String,
}

/// The Service that a host name means from inside that namespace; none for addresses and names of elsewhere.
pub(crate) fn service_name(host: &str, namespace: &str) -> Option<ServiceName> {
    let host = host.trim_end_matches('.');
    if host.parse::<std::net::IpAddr>().is_ok() || host == "localhost" {
        return None;
    }
    let labels: Vec<&str> = host.split('.').collect();
    let outside = ["com", "org", "net", "io", "dev", "local", "internal", "cloud", "invalid", "app", "de", "eu"];
    let (name, namespace) = match labels.as_slice() {
        [name] => (*name, namespace),
        [name, other] if !outside.contains(other) => (*name, *other),
        // The longer one is a pod of a StatefulSet behind its headless Service.
        [name, other, "svc", ..] | [_, name, other, "svc", ..] => (*name, *other),
        _ => return None,
    };
    Some(ServiceName { name: name.to_owned(), namespace: namespace.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::service_name;

    #[test]
    fn names_of_the_cluster_are_told_from_others() {
        let path = |host: &str| service_name(host, "shop").map(|it| format!("{}/{}", it.namespace, it.name));
        assert_eq!(path("db").as_deref(), Some("shop/db"));
        assert_eq!(path("db.data").as_deref(), Some("data/db"));
        assert_eq!(path("db.data.svc.cluster.local").as_deref(), Some("data/db"));
        assert_eq!(path("db-0.db.data.svc.cluster.local").as_deref(), Some("data/db"));
        for host in ["10.0.0.1", "example.com", "api.stripe.com", "localhost"] {
            assert_eq!(path(host), None, "{host}");
        }
    }
}
