//! `registry-unreachable`.

use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict, shell_quoted};
use crate::causes::{Code, cause};
use crate::facts::pull::{self, Pull};
use crate::finding::{Finding, Fix};
use crate::parse::pull::{NetFault, PullFault};
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The node cannot reach the registry: its name does not resolve, nothing answers or listens at its address, a
    /// proxy on the way fails, or the registry itself answers with a server error.
    /// ## Signals
    /// Behind `failed to do request: Head "URL":` or `Get "URL":` stand `dial tcp: lookup HOST on NS:53: no such host`,
    /// `server misbehaving`, `i/o timeout`, `connect: connection refused`, `no route to host`, `network is
    /// unreachable`, `net/http: TLS handshake timeout`, `Client.Timeout exceeded while awaiting headers`, `proxyconnect
    /// tcp`, `connection reset by peer`; or `unexpected status from HEAD request to URL: 500|502|503|504`. CRI-O:
    /// waiting `RegistryUnavailable`.
    /// ## Look-alikes
    /// `registry-tls-error`: the connection stands and the certificate is refused. `registry-rate-limited`: 429.
    /// `image-unauthorized`: the registry answers and refuses. `runtime-unavailable`: `dial unix`, the node's own
    /// runtime.
    /// ## Fixes
    /// Mend the host name in the image, or DNS, firewall, route or proxy of the node; where the registry is down, wait
    /// or use a mirror. The kubelet tries again by itself, at most every five minutes.
    /// ## Source
    /// containerd core/remotes/docker/resolver.go; staging/src/k8s.io/cri-api/pkg/errors.
    RegistryUnreachable, stage Image, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let pulls = pull::of_code(case, Code::RegistryUnreachable)?;
    let found: Result<Vec<Option<Finding>>, Needs> = pulls.iter().map(|pull| explain(case, pull)).collect();
    Ok(found?.into_iter().flatten().collect())
}

fn explain(case: &Case<'_>, pull: &Pull<'_>) -> Result<Option<Finding>, Needs> {
    let PullFault::Unreachable(fault) = &pull.failure.fault else { return Ok(None) };
    let host = pull.failing_host();
    let node = case.pod().and_then(pods::node_name).map(|node| text![" from node ", name(node)]);
    let (short, long) = words(fault);
    let silent = matches!(fault, NetFault::Timeout(_) | NetFault::Refused(_) | NetFault::HandshakeTimeout);
    let admit = if silent && place(&host).is_none() { Some(admit(case, &host)?) } else { None };
    Ok(Some(
        pull.finding(case, Code::RegistryUnreachable)
            .root(pull.registry_ref())
            .title(text!["Registry ", name(host.clone()), " cannot be reached: ", short])
            .explain(text![
                "Image ",
                name(pull.image.clone()),
                " of container ",
                name(pull.container.name()),
                " cannot be pulled",
                node,
                ": ",
                long,
                "."
            ])
            .also(pull.said())
            .also(place(&host))
            .fix(first_fix(fault, &host))
            .fix(admit)
            .fix(try_it(&host)),
    ))
}

/// The step for a registry whose firewall lets in listed addresses only.
fn admit(case: &Case<'_>, host: &str) -> Result<Fix, Needs> {
    let node = case.node()?.found();
    let addresses =
        node.iter().flat_map(|node| node.status.iter()).flat_map(|status| status.addresses.iter().flatten());
    let outside =
        addresses.filter(|address| address.type_ == "ExternalIP").map(|address| address.address.clone()).next();
    let from = match outside {
        Some(address) => text!["address ", code(address), " of the node (or that of the NAT gateway in front of it)"],
        None => text!["the address that the node leaves with (its own, or that of the NAT gateway in front of it)"],
    };
    Ok(Fix::safe(text![
        "where registry ",
        name(host),
        " lets in listed addresses only, or has its public endpoint closed: admit ",
        from,
        ", or use its private endpoint"
    ]))
}

/// What names mean on a node, where people expect something else.
fn place(host: &str) -> Option<Text> {
    let own = host.starts_with("localhost") || host.starts_with("127.0.0.1") || host.starts_with("[::1]");
    if own {
        return Some(text!["On a node, localhost is the node itself, not your machine and not a pod."]);
    }
    let named = host.split(':').next().unwrap_or(host);
    let of_cluster = named.split('.').any(|part| part == "svc");
    of_cluster.then(|| {
        text![
            "Images are pulled by the node, which does not ask the cluster's DNS: names of Services are unknown to it."
        ]
    })
}

fn at(address: Option<&String>) -> Option<Text> {
    address.map(|address| text![" at ", code(address.clone())])
}

fn words(fault: &NetFault) -> (Text, Text) {
    match fault {
        NetFault::UnknownHost => (
            text!["no such host"],
            text![
                "the node's name server says that no host of that name exists, so it is misspelt or known elsewhere \
                 only"
            ],
        ),
        NetFault::Resolver => (
            text!["its name cannot be resolved"],
            text!["the node's name server does not answer as it should, so the registry's address is not known"],
        ),
        NetFault::Refused(address) => (
            text!["connection refused", at(address.as_ref())],
            text!["nothing listens", at(address.as_ref()), ", or a firewall refuses"],
        ),
        NetFault::Timeout(address) => (
            text!["no answer", at(address.as_ref())],
            text![
                "nothing answers",
                at(address.as_ref()),
                " in time, as with a firewall, a missing route or no way out"
            ],
        ),
        NetFault::HandshakeTimeout => (
            text!["TLS handshake timeout"],
            text!["the connection stands, and TLS does not get through: mostly a proxy, firewall or MTU on the way"],
        ),
        NetFault::NoRoute(address) => (
            text!["no route to it", at(address.as_ref())],
            text!["the node's network knows no way to the registry", at(address.as_ref())],
        ),
        NetFault::Proxy => (
            text!["the proxy on the way fails"],
            text!["the container runtime is set to use an HTTP proxy, and that proxy does not pass the request on"],
        ),
        NetFault::Reset => (
            text!["the connection was cut"],
            text!["the registry, or something on the way to it, cut the connection in the middle"],
        ),
        NetFault::Server(status) => (
            text!["it answers ", *status],
            text![
                "the registry, or what stands before it, failed with status ",
                *status,
                "; that is a fault on its side"
            ],
        ),
    }
}

fn first_fix(fault: &NetFault, host: &str) -> Fix {
    let host = name(host);
    match fault {
        NetFault::UnknownHost => Fix::disruptive(text![
            "correct the registry host in the image name if it is misspelt; else make host ",
            host,
            " known to the DNS servers of the nodes"
        ]),
        NetFault::Resolver => {
            Fix::safe(text!["mend DNS on the node (its /etc/resolv.conf and the servers in it); registry ", host])
        }
        NetFault::Proxy => Fix::safe(text![
            "mend the proxy, or its setting in the container runtime's service (HTTPS_PROXY, NO_PROXY) for registry ",
            host
        ]),
        NetFault::Server(_) => {
            Fix::safe(text!["mend registry ", host, " or wait for it; the kubelet tries again by itself"])
        }
        NetFault::Refused(_)
        | NetFault::Timeout(_)
        | NetFault::HandshakeTimeout
        | NetFault::NoRoute(_)
        | NetFault::Reset => Fix::safe(text![
            "open the way from the nodes to registry ",
            host,
            " (is it running, host and port right, firewall, route, proxy), or pull from a mirror that they can reach"
        ]),
    }
}

fn try_it(host: &str) -> Fix {
    let real = if host == "docker.io" { "registry-1.docker.io" } else { host };
    let url = format!("https://{real}/v2/");
    Fix::safe(text!["try the registry on the node itself (any HTTP answer, even 401, means that it is reached)"])
        .command(format!("curl -sv -o /dev/null {}", shell_quoted(&url)))
}
