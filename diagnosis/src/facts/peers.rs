//! Who the other end of a failed connection is: bound to what the cluster knows of it.
//!
//! A log names a peer by name, by address, or not at all. The container's variables and arguments often name it
//! better; a
//! name that follows the cluster's rules leads to a Service, its endpoints and its pods.

use k8s_openapi::api::core::v1::Service;
use kubewhy_text::{Text, code, name, text};

use crate::ask::Filter;
use crate::case::Case;
use crate::facts::services::{self, Standing, State};
use crate::facts::settings::{self, Setting};
use crate::finding::ObjectRef;
use crate::parse::log;
use crate::pods::ContainerView;
use crate::reader::Needs;

/// How many names from the configuration are tried where the log names no peer.
const CANDIDATES: usize = 3;

/// The other end of a connection, as far as it can be told.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// Its name, else its address; none where nothing names it.
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    /// Where the configuration names it: `DB_HOST`.
    pub(crate) told_by: Option<Text>,
    pub(crate) place: Place,
}

/// Where a peer is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// Nothing tells.
    Unknown,
    /// A private address that no Service of the pod's namespace has; perhaps of another namespace, a pod, or outside.
    Private,
    /// The pod itself, with the container that declares the port.
    Localhost(Option<String>),
    /// A Service of the cluster; `pod` where one pod of it was named.
    Service(Box<Standing>, Option<String>),
    /// Not of this cluster.
    Outside,
}

impl Peer {
    /// `prod-db:3333`, as far as it is known.
    pub(crate) fn address(&self) -> Option<String> {
        let host = self.host.as_ref()?;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        Some(self.port.map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
    }

    /// The Service where it is itself at fault, or what stands behind it; not where it is absent or was asked for a port
    /// that it does not have, since then the client is.
    pub(crate) fn at_fault(&self) -> Option<ObjectRef> {
        let Place::Service(standing, _) = &self.place else { return None };
        let ours = standing.is_at_fault() && !matches!(standing.state, State::Missing(_) | State::WrongPort(..));
        ours.then(|| standing.service.clone())
    }

    /// What a person has to act on: the Service where it is at fault, else the address.
    pub(crate) fn root(&self) -> Option<ObjectRef> {
        match &self.place {
            Place::Service(standing, _) if standing.is_at_fault() && !matches!(standing.state, State::Missing(_)) => {
                Some(standing.service.clone())
            }
            Place::Localhost(_) => None,
            _ => self.address().map(|address| ObjectRef::virtual_("Peer", &address)),
        }
    }
}

/// The peer that a failed connection of a container was meant for.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn resolve(case: &Case<'_>, container: &ContainerView<'_>, peer: Option<&log::Peer>) -> Result<Peer, Needs> {
    let named = peer.filter(|peer| !is_address(&peer.host));
    if let Some(peer) = named {
        let told = mentions(&settings::explicit(container.spec), container).into_iter().find(|m| m.host == peer.host);
        let port = peer.port.or_else(|| told.as_ref().and_then(|told| told.port));
        let place = place(case, container, &peer.host, port)?;
        return Ok(Peer { host: Some(peer.host.clone()), port, told_by: told.map(|told| told.told_by), place });
    }
    let address = peer.map(|peer| peer.ip.clone().unwrap_or_else(|| peer.host.clone()));
    let port = peer.and_then(|peer| peer.port);
    if let Some(address) = address.as_deref().filter(|address| is_loopback(address)) {
        let place = place(case, container, address, port)?;
        return Ok(Peer { host: Some(address.to_owned()), port, told_by: None, place });
    }
    let mut found = mentions(&settings::explicit(container.spec), container);
    let fits = |mention: &Mention| port.is_none() || mention.port.is_none() || mention.port == port;
    found.retain(fits);
    if found.is_empty() {
        let settings = settings::resolved(case, settings::all(case, container)?)?;
        found = mentions(&settings, container);
        found.retain(fits);
    }
    if let Some(peer) = best(case, container, &found, address.as_deref(), port)? {
        return Ok(peer);
    }
    let Some(address) = address else {
        return Ok(Peer { host: None, port, told_by: None, place: Place::Unknown });
    };
    let place = match service_at(case, &address, port)? {
        Some((service, of)) => Place::Service(Box::new(services::standing(case, &of, &service, port)?), None),
        None if is_private(&address) => Place::Private,
        None => Place::Outside,
    };
    Ok(Peer { host: Some(address), port, told_by: None, place })
}

/// Of the names that the configuration mentions, the one that has the address; without an address the one at fault.
fn best(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    found: &[Mention],
    address: Option<&str>,
    port: Option<u16>,
) -> Result<Option<Peer>, Needs> {
    let mut needs = None;
    let mut peers = Vec::new();
    for mention in found.iter().take(CANDIDATES) {
        let port = port.or(mention.port);
        match place(case, container, &mention.host, port) {
            Ok(place) => peers.push(Peer {
                host: Some(mention.host.clone()),
                port,
                told_by: Some(mention.told_by.clone()),
                place,
            }),
            Err(lacking) => needs = Some(lacking),
        }
    }
    if let Some(needs) = needs {
        return Err(needs);
    }
    if let Some(address) = address {
        for peer in peers {
            if has_address(case, &peer, address)? {
                return Ok(Some(peer));
            }
        }
        return Ok(None);
    }
    let at_fault = |peer: &Peer| matches!(&peer.place, Place::Service(standing, _) if standing.is_at_fault());
    if let Some(index) = peers.iter().position(at_fault) {
        return Ok(Some(peers.swap_remove(index)));
    }
    // One name is the peer; of several that look well any could be.
    Ok(if peers.len() == 1 { peers.pop() } else { None })
}

/// Tells whether a name can stand for that address.
fn has_address(case: &Case<'_>, peer: &Peer, address: &str) -> Result<bool, Needs> {
    if peer.host.as_deref() == Some(address) {
        return Ok(true);
    }
    let Place::Service(standing, _) = &peer.place else { return Ok(false) };
    if standing.headless {
        return Ok(true);
    }
    let service = case.get::<Service>(standing.service.namespace.as_deref(), &standing.service.name)?.found();
    let own = service.and_then(|service| service.spec.as_ref().and_then(|spec| spec.cluster_ip.clone()));
    Ok(own.is_none_or(|own| own == address))
}

/// The Service of the pod's namespace that has an address, or the Kubernetes API's own.
fn service_at(case: &Case<'_>, address: &str, port: Option<u16>) -> Result<Option<(String, String)>, Needs> {
    if !is_private(address) {
        return Ok(None);
    }
    let Some(namespace) = case.namespace() else { return Ok(None) };
    let services = case.list::<Service>(Some(namespace), Filter::All)?.found().unwrap_or_default();
    let has = |service: &Service| service.spec.as_ref().is_some_and(|spec| spec.cluster_ip.as_deref() == Some(address));
    let found = services.into_iter().find(|service| has(service)).and_then(|service| service.metadata.name.clone());
    if let Some(service) = found {
        return Ok(Some((service, namespace.to_owned())));
    }
    // Every pod knows the API server by the address of one Service.
    let api = if port == Some(443) { case.get::<Service>(Some("default"), "kubernetes")?.found() } else { None };
    Ok(api.filter(|service| has(service)).map(|_| ("kubernetes".to_owned(), "default".to_owned())))
}

fn place(case: &Case<'_>, container: &ContainerView<'_>, host: &str, port: Option<u16>) -> Result<Place, Needs> {
    if is_loopback(host) {
        return Ok(Place::Localhost(sidecar(case, container, port)));
    }
    if is_address(host) {
        return Ok(match service_at(case, host, port)? {
            Some((service, of)) => Place::Service(Box::new(services::standing(case, &of, &service, port)?), None),
            None if is_private(host) => Place::Private,
            None => Place::Outside,
        });
    }
    let Some(cluster) = ClusterName::parse(host, case.namespace().unwrap_or_default()) else {
        return Ok(Place::Outside);
    };
    let standing = services::standing(case, &cluster.namespace, &cluster.service, port)?;
    let doubtful = matches!(standing.state, State::Missing(_) | State::Unknown) && cluster.may_be_outside;
    Ok(if doubtful { Place::Outside } else { Place::Service(Box::new(standing), cluster.pod) })
}

/// The other container of the pod that declares a port.
fn sidecar(case: &Case<'_>, container: &ContainerView<'_>, port: Option<u16>) -> Option<String> {
    let port = i32::from(port?);
    case.containers()
        .filter(|other| other.name() != container.name())
        .find(|other| other.spec.ports.iter().flatten().any(|declared| declared.container_port == port))
        .map(|other| other.name().to_owned())
}

/// A name that follows the cluster's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClusterName {
    pub(crate) service: String,
    pub(crate) namespace: String,
    /// One pod of a headless Service.
    pub(crate) pod: Option<String>,
    /// It may as well be a name outside: `example.com`.
    may_be_outside: bool,
}

impl ClusterName {
    /// It may as well be a name outside: `example.com`.
    pub(crate) const fn may_be_outside(&self) -> bool {
        self.may_be_outside
    }

    /// Reads `name`, `name.ns`, `name.ns.svc[.cluster.local]` and the same with a pod in front.
    pub(crate) fn parse(host: &str, own: &str) -> Option<Self> {
        let host = host.trim_end_matches('.');
        let labels: Vec<&str> = host.split('.').collect();
        let make = |service: &str, namespace: &str, pod: Option<&str>, may_be_outside: bool| {
            Some(Self {
                service: service.to_owned(),
                namespace: namespace.to_owned(),
                pod: pod.map(str::to_owned),
                may_be_outside,
            })
        };
        let before_svc = labels.iter().position(|label| *label == "svc").filter(|at| *at >= 2);
        let inner = before_svc.map_or(labels.as_slice(), |at| labels.get(..at).unwrap_or_default());
        match (inner, before_svc) {
            ([service], _) if !service.is_empty() => make(service, own, None, false),
            ([pod, service], None) if is_pod_of(pod, service) => make(service, own, Some(pod), false),
            ([service, namespace], Some(_)) => make(service, namespace, None, false),
            ([service, namespace], None) => make(service, namespace, None, *namespace != own && is_public(namespace)),
            ([pod, service, namespace], Some(_)) => make(service, namespace, Some(pod), false),
            ([pod, service, namespace], None) if is_pod_of(pod, service) && !is_public(namespace) => {
                make(service, namespace, Some(pod), false)
            }
            _ => None,
        }
    }
}

/// `mongo-0` with `mongo` or `mongo-headless`: the pod of a `StatefulSet` before its Service.
fn is_pod_of(pod: &str, service: &str) -> bool {
    let Some((base, ordinal)) = pod.rsplit_once('-') else { return false };
    let shared = service.starts_with(base) || base.starts_with(service);
    !ordinal.is_empty() && ordinal.chars().all(|c| c.is_ascii_digit()) && (shared || !is_public(service))
}

/// A name's last label that the world outside uses.
fn is_public(label: &str) -> bool {
    const PUBLIC: &[&str] = &[
        "com", "net", "org", "io", "dev", "cloud", "app", "co", "de", "uk", "eu", "fr", "us", "cn", "jp", "ru", "in",
        "br", "ch", "nl", "internal", "local", "lan", "corp", "home", "example", "test", "ai", "me", "info", "biz",
        "gov", "edu",
    ];
    PUBLIC.contains(&label)
}

fn is_address(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_private(host: &str) -> bool {
    match host.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(address)) => address.is_private(),
        Ok(std::net::IpAddr::V6(address)) => address.is_unique_local(),
        Err(_) => false,
    }
}

/// A host that the configuration mentions.
#[derive(Clone, Debug)]
struct Mention {
    host: String,
    port: Option<u16>,
    told_by: Text,
}

/// The hosts that variables, command and arguments mention, ports before bare hosts.
fn mentions(settings: &[Setting], container: &ContainerView<'_>) -> Vec<Mention> {
    let mut found: Vec<Mention> = Vec::new();
    let mut add = |hosts: Vec<(String, Option<u16>)>, told_by: Text| {
        for (host, port) in hosts {
            if found.iter().all(|mention| mention.host != host) {
                found.push(Mention { host, port, told_by: told_by.clone() });
            }
        }
    };
    for setting in settings {
        let Some(value) = &setting.value else { continue };
        let mut hosts = hosts_in(value);
        if hosts.is_empty() && names_a_host(&setting.name) && is_host(value.trim()) {
            hosts.push((value.trim().to_owned(), port_beside(settings, &setting.name)));
        }
        add(hosts, text![code(setting.name.clone()), setting.origin()]);
    }
    let words = container.spec.command.iter().chain(&container.spec.args).flatten();
    for word in words.filter(|word| word.len() < 500) {
        add(hosts_in(word), text!["the arguments of container ", name(container.name())]);
    }
    found.truncate(16);
    found
}

/// `DB_HOST=db` with `DB_PORT=5432`.
fn port_beside(settings: &[Setting], host_name: &str) -> Option<u16> {
    let upper = host_name.to_uppercase();
    let base = ["HOSTNAME", "HOST", "SERVER", "ADDRESS", "ADDR"].iter().find_map(|end| upper.strip_suffix(end))?;
    let wanted = format!("{base}PORT");
    let port = settings.iter().find(|setting| setting.name.to_uppercase() == wanted)?;
    port.value.as_deref()?.trim().parse().ok()
}

fn names_a_host(variable: &str) -> bool {
    let upper = variable.to_uppercase();
    let ends = [
        "HOST",
        "HOSTS",
        "HOSTNAME",
        "SERVER",
        "SERVERS",
        "ADDR",
        "ADDRESS",
        "ENDPOINT",
        "ENDPOINTS",
        "BROKER",
        "BROKERS",
        "URL",
        "URI",
        "UPSTREAM",
        "NODES",
        "SERVICE",
        "BACKEND",
    ];
    let listens = upper.contains("LISTEN") || upper.contains("BIND");
    !listens && ends.iter().any(|end| upper.ends_with(end))
}

/// Hosts in a value: those of URLs, of `host:port`, of `tcp(host:port)`.
fn hosts_in(value: &str) -> Vec<(String, Option<u16>)> {
    let mut found = Vec::new();
    for token in value.split([' ', ',', ';', '"', '\'', '\n', '\t', '<', '>', '|']) {
        let token = token.rsplit_once("tcp(").map_or(token, |(_, rest)| rest.split(')').next().unwrap_or(rest));
        let (rest, is_url) = match token.split_once("://") {
            Some((_, rest)) => (rest, true),
            None => (token.rsplit_once('=').map_or(token, |(_, rest)| rest), false),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        match authority.rsplit_once(':') {
            Some((host, port)) => {
                let port = port.parse::<u16>().ok().filter(|port| *port > 0);
                if is_host(host) && port.is_some() {
                    found.push((host.to_owned(), port));
                }
            }
            None if is_url && is_host(authority) => found.push((authority.to_owned(), None)),
            None => {}
        }
    }
    found.retain(|(host, _)| host != "0.0.0.0");
    found
}

/// Looks like a host: letters, digits, dots and dashes, with a letter or an address.
fn is_host(word: &str) -> bool {
    let plain = word.len() < 254 && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
    let edges = word.starts_with(|c: char| c.is_ascii_alphanumeric()) && !word.ends_with('-');
    plain && edges && (word.contains(|c: char| c.is_ascii_alphabetic()) || is_address(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_clusters_rules() {
        let parse = |host: &str| ClusterName::parse(host, "shop").map(|it| (it.service, it.namespace, it.pod));
        let of = |service: &str, namespace: &str, pod: Option<&str>| {
            Some((service.to_owned(), namespace.to_owned(), pod.map(str::to_owned)))
        };
        assert_eq!(parse("db"), of("db", "shop", None));
        assert_eq!(parse("db.billing"), of("db", "billing", None));
        assert_eq!(parse("db.billing.svc"), of("db", "billing", None));
        assert_eq!(parse("db.billing.svc.cluster.local."), of("db", "billing", None));
        assert_eq!(parse("mongo-0.mongo"), of("mongo", "shop", Some("mongo-0")));
        assert_eq!(parse("mongo-0.mongo-headless"), of("mongo-headless", "shop", Some("mongo-0")));
        assert_eq!(parse("mongo-0.mongo.billing.svc.cluster.local"), of("mongo", "billing", Some("mongo-0")));
        assert_eq!(parse("api.stripe.com"), None);
        assert_eq!(parse("db-1.cluster.eu-west-1.rds.amazonaws.com"), None);
        assert!(ClusterName::parse("example.com", "shop").is_some_and(|it| it.may_be_outside));
        assert_eq!(parse(""), None);
    }

    #[test]
    fn hosts_are_found_in_values() {
        for (value, host, port) in [
            ("prod-db:3333", "prod-db", Some(3333)),
            ("postgres://app:p%40ss@db.billing:5432/app?sslmode=disable", "db.billing", Some(5432)),
            ("jdbc:postgresql://db:5432/app", "db", Some(5432)),
            ("app:secret@tcp(mysql:3306)/shop", "mysql", Some(3306)),
            ("http://orders/", "orders", None),
            ("--redis=cache:6379", "cache", Some(6379)),
            ("10.20.30.40:5432", "10.20.30.40", Some(5432)),
        ] {
            assert_eq!(hosts_in(value), vec![(host.to_owned(), port)], "{value}");
        }
        for value in ["0.0.0.0:8080", ":8080", "info", "12:30", "a b c", "", "key=value"] {
            assert!(hosts_in(value).is_empty(), "{value}");
        }
    }
}
