//! The scheduler and the controller manager, as their leases and their pods show them.
//!
//! Each renews its Lease every 2 seconds while it leads. A lease is old only against a clock that is not its own: other
//! leases, read in the same moment, tell the time better than the asker's clock does.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, code, name, own, text};

use crate::ask::{Filter, Selector};
use crate::case::Case;
use crate::causes::Code;
use crate::facts::ends;
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods;
use crate::reader::{Needs, Read, Reader};
use crate::triage::{PodDigest, Triage, triage};

/// Where the control plane lives.
pub(crate) const NAMESPACE: &str = "kube-system";
/// A standby takes over a lease that was not renewed for 15 s, within another 2 s.
const RENEWED_WITHIN: SignedDuration = SignedDuration::from_secs(15);
/// What reading takes, and the other leases' own rhythm (the API server's is renewed every 10 s).
const SLACK: SignedDuration = SignedDuration::from_secs(5);
/// How long after its last renewal a lease is one that nobody uses any more.
const LEFT_BEHIND: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long a lease may be nobody's between two leaders, who try for it every 2 seconds.
const BETWEEN_LEADERS: SignedDuration = SignedDuration::from_secs(10);
/// How old a lease has to be where there is no other to hold it against.
const ALONE: SignedDuration = SignedDuration::from_secs(60);

/// A component that leads by a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Component {
    /// kube-scheduler.
    Scheduler,
    /// kube-controller-manager.
    ControllerManager,
}

impl Component {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::ControllerManager, Self::Scheduler];

    /// The program, its lease and its label alike.
    pub(crate) const fn program(self) -> &'static str {
        match self {
            Self::Scheduler => "kube-scheduler",
            Self::ControllerManager => "kube-controller-manager",
        }
    }

    /// Its lease.
    pub(crate) fn lease(self) -> ObjectRef {
        ObjectRef::new(Kind::Lease, Some(NAMESPACE), self.program())
    }

    /// The component whose lease that object is.
    pub(crate) fn of_lease(lease: &Lease) -> Option<Self> {
        let (namespace, name) = (lease.metadata.namespace.as_deref(), lease.metadata.name.as_deref());
        Self::ALL.into_iter().find(|it| namespace == Some(NAMESPACE) && name == Some(it.program()))
    }

    const fn what_stops(self) -> &'static str {
        match self {
            Self::Scheduler => {
                "Pods that run go on, and no new pod gets a node: each stays Pending without a word until the scheduler is \
                 back."
            }
            Self::ControllerManager => {
                "What runs goes on, and nothing is brought in line any more: no ReplicaSets, pods, jobs, endpoints or volumes \
                 are made, replaced or counted, and nothing of Kubernetes' own is cleaned up."
            }
        }
    }
}

/// A component that does not lead any more.
#[derive(Clone, Debug)]
pub(crate) struct Down {
    pub(crate) component: Component,
    /// Its lease was given back when it was stopped.
    pub(crate) released: bool,
    /// Who held it last: `HOST_UID`.
    holder: String,
    renewed: Option<Timestamp>,
    /// What it was held against.
    against: Timestamp,
    /// Whether something else than the asker's clock says so.
    sure: bool,
}

/// That component where its lease shows that nobody leads; none where one does, and where nothing tells: managed and
/// single-server control planes need not have a lease.
///
/// # Errors
/// [`Needs`] where the leases have not been asked yet.
pub(crate) fn down(reader: &Reader<'_>, component: Component) -> Result<Option<Down>, Needs> {
    let leases = match reader.list::<Lease>(Some(NAMESPACE), Filter::All)? {
        Read::Found(leases) => leases,
        // A role of an older release reads single leases.
        Read::Absent | Read::Unreadable => {
            let both = Component::ALL.map(|it| reader.get::<Lease>(Some(NAMESPACE), it.program()));
            let mut leases = Vec::new();
            for lease in both {
                leases.extend(lease?.found());
            }
            leases
        }
    };
    let Some(lease) = leases.iter().find(|lease| Component::of_lease(lease) == Some(component)) else {
        return Ok(None);
    };
    let Some(spec) = lease.spec.as_ref() else { return Ok(None) };
    let holder = spec.holder_identity.clone().unwrap_or_default();
    let renewed = renewed(lease);
    let others = leases.iter().filter(|other| Component::of_lease(other) != Some(component));
    let newest = others.filter_map(|other| self::renewed(other)).max();
    let mut down = Down { component, released: holder.is_empty(), holder, renewed, against: reader.now(), sure: true };
    let lasting = spec.lease_duration_seconds.map_or(RENEWED_WITHIN, |it| SignedDuration::from_secs(i64::from(it)));
    let allowed = lasting.max(RENEWED_WITHIN) + SLACK;
    if down.released {
        let Some(renewed) = renewed else { return Ok(Some(down)) };
        // Between two leaders it is nobody's for a moment: the next one takes it within seconds.
        let passing = |heard: Timestamp| heard.duration_since(renewed) < BETWEEN_LEADERS;
        if newest.is_some_and(|newest| !passing(newest)) {
            return Ok(Some(down));
        }
        if passing(reader.now()) {
            return Ok(None);
        }
        // Nobody else who leads has been heard of since: the nodes tell whether time has gone by at all.
        let heard = heard_of_nodes(reader)?;
        down.sure = heard.is_some();
        return Ok(heard.is_none_or(|heard| !passing(heard)).then_some(down));
    }
    let Some(renewed) = renewed else { return Ok(None) };
    let age = reader.now().duration_since(renewed);
    if age <= allowed {
        return Ok(None);
    }
    // No cluster lives on for a week without: whoever leads now does so by another lease.
    if newest.is_some_and(|newest| newest.duration_since(renewed) > LEFT_BEHIND) {
        return Ok(None);
    }
    if newest.is_some_and(|newest| newest.duration_since(renewed) > allowed) {
        down.against = newest.unwrap_or(down.against).min(reader.now());
        return Ok(Some(down));
    }
    if age <= ALONE {
        return Ok(None);
    }
    // All that lead are silent, or the asker's clock is ahead: the nodes' own leases tell.
    match heard_of_nodes(reader)? {
        Some(heard) if heard.duration_since(renewed) <= allowed + SLACK => Ok(None),
        Some(heard) => {
            down.against = heard.min(reader.now());
            Ok(Some(down))
        }
        None => {
            down.sure = false;
            Ok(Some(down))
        }
    }
}

/// Whether somebody leads as that component, where its lease tells.
///
/// # Errors
/// [`Needs`] where the leases have not been asked yet.
pub(crate) fn leads(reader: &Reader<'_>, component: Component) -> Result<Option<bool>, Needs> {
    if down(reader, component)?.is_some() {
        return Ok(Some(false));
    }
    // A list that could be read has all that there are.
    let listed = reader.list::<Lease>(Some(NAMESPACE), Filter::All)?.found();
    let there = listed.is_some_and(|all| all.iter().any(|lease| Component::of_lease(lease) == Some(component)));
    Ok(there.then_some(true))
}

/// When a kubelet was heard of last.
fn heard_of_nodes(reader: &Reader<'_>) -> Result<Option<Timestamp>, Needs> {
    let leases = reader.list::<Lease>(Some("kube-node-lease"), Filter::All)?.found().unwrap_or_default();
    Ok(leases.iter().filter_map(|lease| renewed(lease)).max())
}

fn renewed(lease: &Lease) -> Option<Timestamp> {
    lease.spec.as_ref()?.renew_time.as_ref().map(|time| time.0)
}

/// The static pods of the control plane; empty where it hides them.
///
/// # Errors
/// [`Needs`] where they have not been asked yet.
pub(crate) fn pods_of_control_plane(reader: &Reader<'_>) -> Result<Vec<Arc<Pod>>, Needs> {
    let labels = BTreeMap::from([("tier".to_owned(), "control-plane".to_owned())]);
    let listed = reader.list::<Pod>(Some(NAMESPACE), Filter::Labels(Selector::labels(&labels)))?;
    Ok(listed.found().unwrap_or_default())
}

/// The component of the control plane that a pod is: `etcd`, `kube-apiserver`, ...
pub(crate) fn component_of(pod: &Pod) -> Option<&str> {
    let is_there = pod.metadata.namespace.as_deref() == Some(NAMESPACE);
    pod.metadata.labels.as_ref()?.get("component").map(String::as_str).filter(|_| is_there)
}

/// What is known of a component's pods.
#[derive(Debug)]
pub(crate) enum Seen {
    /// The control plane does not show its pods.
    Hidden,
    /// Others of the control plane are there; of this one there is no pod. The machines that have others.
    Missing(Vec<String>),
    /// A pod of it is in trouble.
    Ailing(ObjectRef),
    /// Its pods look well.
    Well(Vec<String>),
}

/// How the pods of a component look.
///
/// # Errors
/// [`Needs`] where they have not been asked yet.
pub(crate) fn pods_seen(reader: &Reader<'_>, program: &str) -> Result<Seen, Needs> {
    let all = pods_of_control_plane(reader)?;
    let reference =
        |pod: &Arc<Pod>| ObjectRef::new(Kind::Pod, Some(NAMESPACE), pod.metadata.name.as_deref().unwrap_or_default());
    let of: Vec<&Arc<Pod>> = all.iter().filter(|pod| component_of(pod) == Some(program)).collect();
    let ails = |pod: &&&Arc<Pod>| triage(&PodDigest::from(&****pod), reader.now()) == Triage::Suspect;
    if let Some(ailing) = of.iter().find(ails) {
        return Ok(Seen::Ailing(reference(ailing)));
    }
    if !of.is_empty() {
        return Ok(Seen::Well(of.into_iter().map(|pod| reference(pod).name).collect()));
    }
    let mut nodes: Vec<String> = all.iter().filter_map(|pod| pods::node_name(pod)).map(str::to_owned).collect();
    nodes.sort();
    nodes.dedup();
    Ok(if nodes.is_empty() { Seen::Hidden } else { Seen::Missing(nodes) })
}

impl Down {
    /// The machine of the last leader: a holder is `HOST_UID`.
    pub(crate) fn host(&self) -> Option<&str> {
        self.holder.rsplit_once('_').map(|(host, _)| host).filter(|host| !host.is_empty())
    }

    /// `kube-scheduler does not run: its lease has no holder`
    pub(crate) fn clause(&self) -> Text {
        let program = self.component.program();
        if self.released {
            return text![program, " does not run: nobody holds its lease"];
        }
        let since = self.renewed.map(|renewed| text![" since ", renewed]);
        text![program, " does not run: its lease has not been renewed", since]
    }

    fn sentence(&self) -> Text {
        let place = code(self.component.lease().path());
        if self.released {
            let at = self.renewed.map(|at| text![" at ", at]);
            return text![
                "The lease ",
                place,
                " of ",
                self.component.program(),
                " has no holder: it was stopped",
                at,
                " and has not come back."
            ];
        }
        let late = self
            .renewed
            .map(|renewed| self.against.duration_since(renewed))
            .map(|late| text![", ", own(ends::show(late)), " before the newest sign of life here"]);
        let last = self.renewed.map(|at| text!["; the last time was ", at]);
        text![
            self.component.program(),
            " renews its lease ",
            place,
            " every 2 seconds",
            last,
            late,
            ". It has died, hangs, or cannot reach the API server."
        ]
    }

    /// The lease, as it stands.
    pub(crate) fn evidence(&self) -> Evidence {
        let renewed = self.renewed.map_or_else(|| "never".to_owned(), |time| time.to_string());
        let text = format!("holderIdentity \"{}\", renewTime {renewed}", self.holder);
        Evidence::field(&self.component.lease(), ".spec", text).at(self.renewed)
    }

    /// Fills a finding on any object with what is known of the component: cause, evidence, steps. `sign` says what it
    /// is that the object lacks.
    ///
    /// # Errors
    /// [`Needs`] where the component's pods have not been asked yet.
    pub(crate) fn describe(&self, case: &Case<'_>, finding: Finding, sign: Option<&Text>) -> Result<Finding, Needs> {
        let program = self.component.program();
        let seen = pods_seen(case, program)?;
        let mut finding = finding
            .confidence(if self.sure { Confidence::Certain } else { Confidence::Likely })
            .since(self.renewed)
            .root(self.component.lease())
            .explain(text![sign.cloned(), self.sentence()])
            .also(Text::from(self.component.what_stops()))
            .evidence(self.evidence());
        match &seen {
            Seen::Ailing(pod) => finding = finding.explained_by(pod.clone()),
            Seen::Missing(nodes) => {
                finding = finding.also(text![
                    "There is no pod of it on ",
                    Text::names(nodes.clone(), 3),
                    ", where others of the control plane run: its manifest is gone or cannot be read."
                ]);
            }
            Seen::Well(names) => {
                finding = finding.also(text![
                    "Its pod ",
                    Text::names(names.clone(), 3),
                    " runs and is ready all the same: its log tells what keeps it from leading."
                ]);
            }
            Seen::Hidden => {}
        }
        for fix in self.fixes(case, &seen) {
            finding = finding.fix(fix);
        }
        Ok(finding)
    }

    fn fixes(&self, case: &Case<'_>, seen: &Seen) -> Vec<Fix> {
        let program = self.component.program();
        let label = format!("component={program}");
        let node = match seen {
            Seen::Missing(nodes) => nodes.first().cloned(),
            _ => None,
        };
        let machine = node.or_else(|| self.host().map(str::to_owned));
        let on = machine.as_ref().map(|machine| text![" (", name(machine.clone()), ")"]);
        let manifest = format!("/etc/kubernetes/manifests/{program}.yaml");
        let look = match seen {
            Seen::Hidden => Fix::safe(text!["see when ", program, " led last"])
                .command(case.kubectl_in(NAMESPACE, ["get", "lease", program, "-o", "yaml"])),
            _ => Fix::safe(text!["see whether ", program, " runs, and what it says"])
                .command(case.kubectl_in(NAMESPACE, ["get", "pods", "-l", label.as_str(), "-o", "wide"]))
                .command(case.kubectl_in(NAMESPACE, ["logs", "-l", label.as_str(), "--tail=50"])),
        };
        let start = Fix::safe(text![
            "start ",
            program,
            " again on its control-plane machine",
            on,
            ": as a static pod its manifest is ",
            code(manifest.clone()),
            ", which the kubelet follows; read there why it ended"
        ])
        .command(format!("ls -l {manifest}"))
        .command(format!("crictl ps -a --name {program}"))
        .command(format!("journalctl -u kubelet --since -15min | grep {program}"));
        let managed = Fix::safe(text![
            "where a provider runs the control plane, ",
            program,
            " is the provider's: open a case with the time above"
        ]);
        let mut fixes = vec![look, start];
        fixes.extend(matches!(seen, Seen::Hidden).then_some(managed));
        fixes
    }
}

/// The finding of a component that is down, on its own lease.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn on_lease(case: &Case<'_>, component: Component, code: Code) -> Result<Vec<Finding>, Needs> {
    let Some(lease) = case.subject_as::<Lease>() else { return Ok(Vec::new()) };
    if Component::of_lease(&lease) != Some(component) {
        return Ok(Vec::new());
    }
    let Some(down) = down(case, component)? else { return Ok(Vec::new()) };
    let finding = case.finding(code).title(down.clause());
    Ok(vec![down.describe(case, finding, None)?])
}
