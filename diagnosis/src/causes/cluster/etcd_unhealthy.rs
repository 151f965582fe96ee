//! `etcd-unhealthy`.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, code, quoted, text};

use crate::ask::Instance;
use crate::case::{Case, Subject, Verdict};
use crate::causes::{Code, cause};
use crate::facts::control_plane::{self, Seen};
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::health::Cluster;
use crate::kind::Kind;
use crate::parse::api_server::{self, Etcd};
use crate::pods;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// etcd, in which the cluster keeps all its objects, does not serve: it is full, has no leader, is too slow, or down.
    /// ## Signals
    /// `[-]etcd failed: reason withheld` in `/readyz?verbose`; requests that end with `etcdserver: request timed out`,
    /// `etcdserver: leader changed`, `etcdserver: no leader`, `etcdserver: mvcc: database space exceeded` (an alarm: reads
    /// work, writes fail); the same in events and refused creations; etcd's own log: `slow fdatasync`, `apply request took
    /// too long`, `leader is overloaded likely from slow disk`, `serving /health false; no leader`.
    /// ## Look-alikes
    /// `apiserver-overloaded`: the API server itself throttles (429). `apiserver-unreachable`: it does not answer, or another
    /// check fails. One `leader changed` in an hour heals by itself.
    /// ## Fixes
    /// Full: compact, defragment, disarm the alarm. No leader: bring back most of the members, else restore a snapshot.
    /// Slow: a faster disk for etcd alone.
    /// ## Source
    /// etcd api/v3rpc/rpctypes/error.go; <https://etcd.io/docs/latest/op-guide/maintenance/>,
    /// <https://kubernetes.io/docs/tasks/administer-cluster/configure-upgrade-etcd/>
    EtcdUnhealthy, stage Cluster, since "0.1.0", detect
}

/// How long a word of etcd in an event counts.
const RECENT: SignedDuration = SignedDuration::from_mins(15);
/// How often etcd has to call itself slow before it is.
const OFTEN: usize = 5;

fn detect(case: &Case<'_>) -> Verdict {
    let told = match case.subject() {
        Subject::Other(_) => of_cluster(case),
        Subject::Workload(_) => of_refusals(case)?,
        Subject::Pod(pod) if control_plane::component_of(pod) == Some("etcd") => of_its_log(case, pod)?,
        Subject::Pod(_) => of_events(case)?,
        Subject::Claim(_) | Subject::Namespace(_) => None,
    };
    let Some((what, evidence)) = told else { return Ok(Vec::new()) };
    Ok(vec![explain(case, what, evidence)?])
}

/// What one member alone means.
fn alone(seen: &Seen) -> Option<Text> {
    let Seen::Well(names) = seen else { return None };
    (names.len() == 1).then(|| {
        text![
            "etcd has one member only, so nothing takes over when that one fails: three members on three machines bear the loss \
             of one, and an API server beside each stays reachable behind a load balancer."
        ]
    })
}

type Told = Option<(Option<Etcd>, Vec<Evidence>)>;

/// The API server's own checks, and the words of what it could not answer.
fn of_cluster(case: &Case<'_>) -> Told {
    let cluster = case.subject_as::<Cluster>()?;
    let endpoints = [("/readyz", &cluster.readyz), ("/livez", &cluster.livez)];
    let mut evidence: Vec<Evidence> = Vec::new();
    for (path, endpoint) in endpoints.into_iter().filter_map(|(path, it)| Some((path, it.as_ref()?))) {
        let failed = endpoint.failed().filter(|(check, _)| check.starts_with("etcd"));
        evidence.extend(failed.map(|(_, line)| Evidence {
            source: format!("GET {path}?verbose of {}: {}", case.reference(), endpoint.status),
            text: line.to_owned(),
            at: Some(case.now()),
        }));
    }
    let mut what = None;
    for (ask, words) in case.failures() {
        if let Some(said) = api_server::etcd(words) {
            what = Some(what.map_or(said, |known: Etcd| known.min(said)));
            let source = format!("the API server's answer to a request for {}", ask.subject());
            evidence.push(Evidence { source, text: words.to_owned(), at: Some(case.now()) });
        }
    }
    evidence.truncate(4);
    (!evidence.is_empty()).then_some((what, evidence))
}

fn of_refusals(case: &Case<'_>) -> Result<Told, Needs> {
    let refusals = case.refusals()?;
    Ok(refusals.into_iter().find_map(|refusal| {
        let what = api_server::etcd(&refusal.message)?;
        let recent = refusal.evidence.at.is_none_or(|at| case.age(at) < RECENT);
        recent.then(|| (Some(what), vec![refusal.evidence]))
    }))
}

fn of_events(case: &Case<'_>) -> Result<Told, Needs> {
    let said = case.own_events()?.iter().rev().find_map(|event| {
        let recent = event.is_warning() && event.last.is_some_and(|last| case.age(last) < RECENT);
        let what = api_server::etcd(&event.message).filter(|_| recent && event.message.contains("etcdserver"))?;
        Some((Some(what), vec![Evidence::event(event)]))
    });
    Ok(said)
}

/// What etcd itself says.
fn of_its_log(case: &Case<'_>, pod: &Arc<Pod>) -> Result<Told, Needs> {
    let said = log_of(case, pod)?;
    Ok(said.map(|(what, evidence)| (Some(what), vec![evidence])))
}

/// When a line was written, where it tells: `{"level":"warn","ts":"2026-11-21T14:22:34.123Z",...`.
fn written(line: &str) -> Option<Timestamp> {
    let (_, rest) = line.split_once("\"ts\":\"")?;
    // Its zone may be written without a colon, `+0000`; etcd mostly runs in UTC.
    let whole = rest.split('"').next()?;
    whole.parse().ok().or_else(|| format!("{}Z", whole.get(..19)?).parse().ok())
}

fn log_of(case: &Case<'_>, pod: &Arc<Pod>) -> Result<Option<(Etcd, Evidence)>, Needs> {
    let about = case.about(Subject::Pod(Arc::clone(pod)));
    let Some(container) = about.containers().next() else { return Ok(None) };
    let ended = container.running().is_none() && container.last_terminated().is_some();
    let instance = if ended { Instance::Previous } else { Instance::Current };
    let Read::Found(log) = case.log(pod, container.name(), instance)? else { return Ok(None) };
    let lines: Vec<&str> = log.lines().collect();
    let newest = lines.len().saturating_sub(100);
    let said: Vec<(Etcd, usize, &str)> = lines
        .iter()
        .enumerate()
        .skip(newest)
        .filter(|(_, line)| written(line).is_none_or(|at| case.age(at) < RECENT))
        .filter_map(|(at, line)| Some((api_server::etcd(line)?, at, *line)))
        .collect();
    // Every etcd is slow now and then, and its log of hours is short where all is well.
    let passes = |what: Etcd| matches!(what, Etcd::Slow | Etcd::TimedOut | Etcd::Busy);
    let often = said.iter().filter(|(what, ..)| passes(*what)).count() >= OFTEN;
    let counts = said.into_iter().filter(|(what, ..)| often || ended || !passes(*what));
    let worst = counts.min_by_key(|(what, at, _)| (*what, std::cmp::Reverse(*at)));
    Ok(worst.map(|(what, at, line)| {
        let line: String = line.chars().take(400).collect();
        (what, about.log_evidence(&container, at + 1, &line))
    }))
}

fn explain(case: &Case<'_>, what: Option<Etcd>, evidence: Vec<Evidence>) -> Result<Finding, Needs> {
    let own = case.pod().is_some_and(|pod| control_plane::component_of(pod) == Some("etcd"));
    let seen = if own { Seen::Hidden } else { control_plane::pods_seen(case, "etcd")? };
    let mut what = what;
    let mut evidence = evidence;
    if let Seen::Well(names) = &seen {
        for pod in control_plane::pods_of_control_plane(case)? {
            let named = pod.metadata.name.as_ref().is_some_and(|name| names.iter().take(3).any(|it| it == name));
            if let Some((said, line)) = if named { log_of(case, &pod)? } else { None } {
                what = Some(what.map_or(said, |known| known.min(said)));
                evidence.push(line);
            }
        }
    }
    let (short, meaning): (&'static str, &'static str) = match what {
        Some(Etcd::Full) => (
            "its database is full",
            "Its database has reached its quota (2 GiB unless --quota-backend-bytes says more), and an alarm stops all writes: \
             reading works, nothing can be created, changed or renewed.",
        ),
        Some(Etcd::Corrupt) => (
            "its data is damaged",
            "A member's data differs from the others' or is damaged; it refuses to serve until it is replaced.",
        ),
        Some(Etcd::NoLeader) => (
            "it has no leader",
            "Its members do not reach one another in sufficient number: more than half of them have to be up (2 of 3, 3 of 5) \
             for anything to be read or written.",
        ),
        Some(Etcd::Slow) => (
            "it is too slow",
            "Its disk or the network between its members is too slow, so that leaders are lost and requests time out.",
        ),
        Some(Etcd::TimedOut | Etcd::Busy) => (
            "it does not answer in time",
            "Requests to it time out: a member is down, its disk is slow, or it is overloaded.",
        ),
        None => (
            "the API server's check of it fails",
            "The API server cannot use it: it is down, full, without leader, or not reachable with the certificates there.",
        ),
    };
    let certain = matches!(case.subject(), Subject::Other(_)) || matches!(what, Some(Etcd::Full | Etcd::Corrupt));
    let root = match &seen {
        Seen::Ailing(pod) => pod.clone(),
        _ if own => case.reference(),
        Seen::Well(names) if names.len() == 1 => {
            ObjectRef::new(Kind::Pod, Some(control_plane::NAMESPACE), names.first().map_or("", String::as_str))
        }
        _ => ObjectRef::virtual_("Cluster", "etcd"),
    };
    let mut finding = case
        .finding(Code::EtcdUnhealthy)
        .confidence(if certain { Confidence::Certain } else { Confidence::Likely })
        .root(root)
        .title(text!["etcd is not well: ", short])
        .explain(text![meaning, " "])
        .also(text![
            "Everything that the cluster knows is kept there: while it fails, writes (and often reads) of the API fail, leases \
             run out, and nodes look dead that are not."
        ])
        .also(alone(&seen))
        .also(said(&evidence));
    finding = evidence.into_iter().fold(finding, Finding::evidence);
    if let Seen::Ailing(pod) = &seen {
        finding = finding.explained_by(pod.clone());
    }
    let machines: Vec<String> = control_plane_nodes(case, own)?;
    Ok(steps(case, what, machines).into_iter().fold(finding, Finding::fix))
}

fn said(evidence: &[Evidence]) -> Option<Text> {
    let words = evidence.iter().find(|it| api_server::etcd(&it.text).is_some())?;
    let words: String = words.text.chars().take(200).collect();
    Some(text!["It was said: ", quoted(words.trim_end_matches('.')), "."])
}

/// The machines that run etcd, as far as the cluster shows them.
fn control_plane_nodes(case: &Case<'_>, own: bool) -> Result<Vec<String>, Needs> {
    if own {
        return Ok(case.pod().and_then(pods::node_name).map(str::to_owned).into_iter().collect());
    }
    let pods = control_plane::pods_of_control_plane(case)?;
    let of = pods.iter().filter(|pod| control_plane::component_of(pod) == Some("etcd"));
    Ok(of.filter_map(|pod| pods::node_name(pod)).map(str::to_owned).collect())
}

fn steps(case: &Case<'_>, what: Option<Etcd>, machines: Vec<String>) -> Vec<Fix> {
    const ETCDCTL: &str = "etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/kubernetes/pki/etcd/ca.crt \
         --cert=/etc/kubernetes/pki/etcd/server.crt --key=/etc/kubernetes/pki/etcd/server.key";
    let on = (!machines.is_empty()).then(|| text![" (", Text::names(machines, 5), ")"]);
    let look = Fix::safe(text!["on a machine of etcd", on, ", ask its members how they are, and read its log"])
        .command(format!("{ETCDCTL} endpoint status --cluster -w table"))
        .command(format!("{ETCDCTL} alarm list"))
        .command("crictl logs --tail 50 $(crictl ps -a -q --name etcd | head -1)");
    let free = Fix::disruptive(text![
        "make room: take a snapshot first, compact the history, defragment one member after the other, then disarm the alarm"
    ])
    .command(format!("{ETCDCTL} snapshot save /var/lib/etcd-backup.db"))
    .command(format!(
        "{ETCDCTL} compact $({ETCDCTL} endpoint status -w json | grep -o '\"revision\":[0-9]*' | grep -o '[0-9]*' | head -1)"
    ))
    .command(format!("{ETCDCTL} defrag --cluster"))
    .command(format!("{ETCDCTL} alarm disarm"));
    let room = Fix::safe(text![
        "then see what fills it (events and objects of one kind in great number), or raise ",
        code("--quota-backend-bytes"),
        " (8 GiB at most is usual)"
    ]);
    let quorum = Fix::risking_data(text![
        "bring the members back that are down; where more than half of them are lost for good, restore a snapshot on one and \
         let the others join anew (what was written after the snapshot is lost)"
    ])
    .command(format!("{ETCDCTL} member list -w table"));
    let disk = Fix::safe(text![
        "give etcd a fast disk of its own (SSD, no other writers); its 99th percentile of fsync has to stay below 10 ms"
    ])
    .command(case.kubectl_in("kube-system", ["logs", "-l", "component=etcd", "--tail=100"]));
    match what {
        Some(Etcd::Full) => vec![free, room, look],
        Some(Etcd::NoLeader | Etcd::Corrupt) => vec![look, quorum],
        Some(Etcd::Slow | Etcd::Busy) => vec![look, disk],
        Some(Etcd::TimedOut) | None => vec![look, disk, quorum],
    }
}
