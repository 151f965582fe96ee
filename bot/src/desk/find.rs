//! Which object is meant, among the clusters and namespaces that may be asked about.

use kubewhy_chat::Message;
use kubewhy_core::access::{self, ClusterScope, Namespaces};
use kubewhy_core::answer;
use kubewhy_core::commands::Command;
use kubewhy_core::resolve::{self, Candidate, ResolveError, Wanted};
use kubewhy_diagnosis::Report;
use kubewhy_diagnosis::kind::Kind;

use super::{Counter, Served, no_cluster};

/// In which order a bare name is looked for: what is asked about most costs one round of requests.
const STAGES: [&[Kind]; 2] = [
    &[Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::Pod],
    &[Kind::CronJob, Kind::Job, Kind::ReplicaSet, Kind::PersistentVolumeClaim, Kind::Namespace],
];

/// Codes of reports about an object that is not there.
const NOT_THERE: [&str; 2] = ["not-found", "not-in-dump"];

impl Counter<'_> {
    /// Answers the question that a command asks about an object. A name that is whole is asked about at once; only where
    /// nothing has it, names are looked through.
    pub(super) fn report(&self, command: &Command, object: &Wanted) -> Result<Report, Message> {
        let scopes = self.scopes_of(object)?;
        if let (Some(candidate), [scope]) = (exact(object), scopes.as_slice())
            && let Some(served) = self.desk.served_as(&scope.name)
        {
            let report = served.explained(&candidate);
            if report.error.as_ref().is_none_or(|error| !NOT_THERE.contains(&error.code)) {
                return Ok(report);
            }
        }
        let candidate = self.find(command, object)?;
        self.served(&candidate).map(|served| served.explained(&candidate))
    }

    /// Finds the object that is meant: whole names first, which cost little; only where nothing has it, names are looked
    /// through for beginnings and for the nearest.
    pub(super) fn find(&self, command: &Command, object: &Wanted) -> Result<Candidate, Message> {
        let scopes = self.scopes_of(object)?;
        let stages = match object.kind {
            Some(_) => vec![object.kinds()],
            None => STAGES.iter().map(|stage| stage.to_vec()).collect(),
        };
        let unresolved = |error: &ResolveError| answer::unresolved(error, command, &self.extras);
        for kinds in stages {
            let named =
                self.among(&scopes, object, |served, namespace| served.source.named(&kinds, namespace, &object.name));
            if !named.is_empty() {
                return resolve::resolve(object, &named).cloned().map_err(|error| unresolved(&error));
            }
        }
        let all = self.among(&scopes, object, |served, namespace| served.source.candidates(&object.kinds(), namespace));
        resolve::resolve(object, &all).cloned().map_err(|error| unresolved(&error))
    }

    /// The candidates of all scopes, each with its cluster where several are served. Where nobody named a namespace the
    /// whole scope is meant: a chat has no current one.
    fn among(
        &self,
        scopes: &[ClusterScope],
        object: &Wanted,
        candidates: impl Fn(&Served, Option<&str>) -> Vec<Candidate>,
    ) -> Vec<Candidate> {
        let mut all = Vec::new();
        for scope in scopes {
            let Some(served) = self.desk.served_as(&scope.name) else { continue };
            let mut found = match (&object.namespace, &scope.namespaces) {
                (Some(namespace), _) => candidates(served, Some(namespace)),
                (None, Namespaces::All) => candidates(served, None),
                (None, Namespaces::Only(these)) => {
                    these.iter().flat_map(|namespace| candidates(served, Some(namespace))).collect()
                }
            };
            found.retain(|candidate| is_in(scope, candidate));
            found.sort_by_key(|candidate| resolve::EXPLAINED.iter().position(|kind| *kind == candidate.kind));
            found.dedup();
            if self.desk.served.len() > 1 {
                for candidate in &mut found {
                    candidate.cluster = Some(scope.name.clone());
                }
            }
            all.extend(found);
        }
        // A bare name means the workload before its pods, in whichever cluster.
        all.sort_by_key(|candidate| resolve::EXPLAINED.iter().position(|kind| *kind == candidate.kind));
        all
    }

    /// The cluster that a candidate is in.
    pub(super) fn served(&self, candidate: &Candidate) -> Result<&Served, Message> {
        let served = match &candidate.cluster {
            Some(cluster) => self.desk.served_as(cluster),
            None => self.desk.served.first(),
        };
        served.ok_or_else(|| no_cluster(candidate.cluster.as_deref().unwrap_or_default(), &[]).message())
    }

    /// The clusters that a question may be about.
    pub(super) fn scopes(&self, named: Option<&str>) -> Result<Vec<ClusterScope>, Message> {
        let Some(named) = named else { return Ok(self.grant.clusters.clone()) };
        match self.grant.cluster(named) {
            Some(scope) => Ok(vec![scope.clone()]),
            None => {
                let here: Vec<&str> = self.grant.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
                Err(no_cluster(named, &here).message())
            }
        }
    }

    /// The same without those whose namespaces the object cannot be in.
    fn scopes_of(&self, object: &Wanted) -> Result<Vec<ClusterScope>, Message> {
        let mut scopes = self.scopes(object.cluster.as_deref())?;
        let namespace = match object.kind {
            Some(Kind::Namespace) => Some(&object.name),
            Some(kind) if !kind.is_namespaced() => None,
            _ => object.namespace.as_ref(),
        };
        let Some(namespace) = namespace else { return Ok(scopes) };
        let outside = scopes.iter().find(|scope| !scope.namespaces.has(namespace)).cloned();
        scopes.retain(|scope| scope.namespaces.has(namespace));
        match outside {
            Some(outside) if scopes.is_empty() => Err(self.not_here(&outside, namespace)),
            _ => Ok(scopes),
        }
    }

    pub(super) fn not_here(&self, scope: &ClusterScope, namespace: &str) -> Message {
        access::not_this_namespace(self.desk.policy.as_ref(), scope, namespace).message()
    }
}

/// The object that is meant, where the words say all of it.
pub(super) fn exact(object: &Wanted) -> Option<Candidate> {
    let Wanted { kind, name, namespace, cluster } = object.clone();
    let kind = kind.filter(|kind| namespace.is_some() || !kind.is_namespaced())?;
    Some(Candidate { kind, namespace: namespace.filter(|_| kind.is_namespaced()), name, cluster })
}

fn is_in(scope: &ClusterScope, candidate: &Candidate) -> bool {
    match (&candidate.namespace, candidate.kind) {
        (Some(namespace), _) => scope.namespaces.has(namespace),
        (None, Kind::Namespace) => scope.namespaces.has(&candidate.name),
        (None, _) => true,
    }
}
