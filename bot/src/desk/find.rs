//! Which object is meant, among the clusters and namespaces that may be asked about.

use kubewhy_chat::Message;
use kubewhy_core::access::{self, ClusterScope, Namespaces};
use kubewhy_core::answer;
use kubewhy_core::commands::Command;
use kubewhy_core::resolve::{self, Candidate, ResolveError, Wanted};
use kubewhy_diagnosis::Report;
use kubewhy_diagnosis::kind::Kind;

use super::{Counter, Served, no_cluster};

/// Codes of reports about an object that is not there.
const NOT_THERE: [&str; 2] = ["not-found", "not-in-dump"];

impl Counter<'_> {
    /// Answers the question that a command asks about an object. A name that is whole is asked about at once; only where
    /// nothing has it, names are looked through.
    pub(super) fn report(&self, command: &Command, object: &Wanted) -> Result<Report, Message> {
        let sought = self.sought(command, object)?;
        if let [one] = sought.as_slice()
            && let Some(candidate) = one.exact(object)
        {
            let report = one.served.explained(&candidate);
            if report.error.as_ref().is_none_or(|error| !NOT_THERE.contains(&error.code)) {
                return Ok(report);
            }
        }
        let candidate = self.find_in(&sought, command, object)?;
        self.served(&candidate).map(|served| served.explained(&candidate))
    }

    /// Finds the object that is meant: whole names first, which cost little; only where nothing has it, names are looked
    /// through for beginnings and for the nearest.
    pub(super) fn find(&self, command: &Command, object: &Wanted) -> Result<Candidate, Message> {
        self.find_in(&self.sought(command, object)?, command, object)
    }

    fn find_in(&self, sought: &[Sought<'_>], command: &Command, object: &Wanted) -> Result<Candidate, Message> {
        let unresolved = |error: &ResolveError| answer::unresolved(error, command, &self.extras);
        if object.kind == Some(Kind::Cluster) {
            return self.the_cluster(sought, object).map_err(|error| unresolved(&error));
        }
        let stages = sought.iter().map(|one| one.stages.len()).max().unwrap_or_default();
        for stage in 0..stages {
            let named = self.among(sought, object, |one, namespace| {
                let kinds = one.stages.get(stage).map(Vec::as_slice).unwrap_or_default();
                one.served.source.named(kinds, namespace, &object.name)
            });
            if !named.is_empty() {
                return resolve::resolve(object, &named).cloned().map_err(|error| unresolved(&error));
            }
        }
        let all =
            self.among(sought, object, |one, namespace| one.served.source.candidates(&one.stages.concat(), namespace));
        resolve::resolve(object, &all).cloned().map_err(|error| unresolved(&error))
    }

    /// The cluster itself, where it is clear which one.
    fn the_cluster(&self, sought: &[Sought<'_>], object: &Wanted) -> Result<Candidate, ResolveError> {
        let several = self.desk.served.len() > 1;
        let mut all: Vec<Candidate> = sought
            .iter()
            .map(|one| Candidate {
                kind: Kind::Cluster,
                namespace: None,
                name: one.scope.name.clone(),
                cluster: several.then(|| one.scope.name.clone()),
            })
            .collect();
        match (all.pop(), all.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(last), false) => {
                all.push(last);
                Err(ResolveError::Ambiguous { wanted: Box::new(object.clone()), next: all, more: 0 })
            }
            (None, _) => Err(ResolveError::NotFound { wanted: Box::new(object.clone()), next: Vec::new() }),
        }
    }

    /// Where an object is looked for, and among which kinds there: each cluster says for itself what a word means that no
    /// table has.
    fn sought(&self, command: &Command, object: &Wanted) -> Result<Vec<Sought<'_>>, Message> {
        let (mut sought, mut unknown, mut refused) = (Vec::new(), None, None);
        for scope in self.scopes_of(object)? {
            let Some(served) = self.desk.served_as(&scope.name) else { continue };
            let mut stages = match served.source.stages(object) {
                Ok(stages) => stages,
                Err(error) => {
                    unknown.get_or_insert(error);
                    continue;
                }
            };
            let of_namespaces = |kind: &Kind| kind.is_namespaced() || *kind == Kind::Namespace;
            if scope.namespaces != Namespaces::All {
                // What lives in no namespace is for those alone who may ask about all of them.
                let first = stages.iter().flatten().next().copied();
                for kinds in &mut stages {
                    kinds.retain(of_namespaces);
                }
                stages.retain(|kinds| !kinds.is_empty());
                if let (true, Some(kind)) = (stages.is_empty(), first) {
                    refused.get_or_insert_with(|| access::not_cluster_wide(&scope, kind));
                    continue;
                }
            }
            sought.push(Sought { scope, served, stages });
        }
        match (refused, unknown) {
            (Some(refused), _) if sought.is_empty() => Err(refused.message()),
            (None, Some(unknown)) if sought.is_empty() => Err(answer::unresolved(&unknown, command, &self.extras)),
            _ => Ok(sought),
        }
    }

    /// The candidates of all scopes, each with its cluster where several are served. Where nobody named a namespace the
    /// whole scope is meant: a chat has no current one.
    fn among(
        &self,
        sought: &[Sought<'_>],
        object: &Wanted,
        candidates: impl Fn(&Sought<'_>, Option<&str>) -> Vec<Candidate>,
    ) -> Vec<Candidate> {
        let mut all = Vec::new();
        for one in sought {
            let mut found = match (&object.namespace, &one.scope.namespaces) {
                (Some(namespace), _) => candidates(one, Some(namespace)),
                (None, Namespaces::All) => candidates(one, None),
                (None, Namespaces::Only(these)) => {
                    these.iter().flat_map(|namespace| candidates(one, Some(namespace))).collect()
                }
            };
            found.retain(|candidate| is_in(&one.scope, candidate));
            found.sort_by_key(|candidate| resolve::place(candidate.kind));
            found.dedup();
            if self.desk.served.len() > 1 {
                for candidate in &mut found {
                    candidate.cluster = Some(one.scope.name.clone());
                }
            }
            all.extend(found);
        }
        // A bare name means the workload before its pods, in whichever cluster.
        all.sort_by_key(|candidate| resolve::place(candidate.kind));
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
        let named = Some(&object.name).filter(|name| object.kind == Some(Kind::Cluster) && !name.is_empty());
        let mut scopes = self.scopes(object.cluster.as_ref().or(named).map(String::as_str))?;
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

/// A cluster in which an object is looked for, and the kinds among which it is, stage by stage.
struct Sought<'d> {
    scope: ClusterScope,
    served: &'d Served,
    stages: Vec<Vec<Kind>>,
}

impl Sought<'_> {
    /// The object that is meant, where the words say all of it.
    fn exact(&self, object: &Wanted) -> Option<Candidate> {
        let [kinds] = self.stages.as_slice() else { return None };
        let [kind] = kinds.as_slice() else { return None };
        if *kind == Kind::Cluster {
            let name = self.scope.name.clone();
            return Some(Candidate { kind: *kind, namespace: None, name, cluster: object.cluster.clone() });
        }
        exact(&object.known_as(*kind))
    }
}

/// The object that is meant, where the words say all of it.
pub(super) fn exact(object: &Wanted) -> Option<Candidate> {
    let Wanted { kind, name, namespace, cluster, .. } = object.clone();
    let kind = kind.filter(|kind| namespace.is_some() || !kind.is_namespaced())?;
    Some(Candidate { kind, namespace: namespace.filter(|_| kind.is_namespaced()), name, cluster })
}

fn is_in(scope: &ClusterScope, candidate: &Candidate) -> bool {
    match (&candidate.namespace, candidate.kind) {
        (Some(namespace), _) => scope.namespaces.has(namespace),
        (None, Kind::Namespace) => scope.namespaces.has(&candidate.name),
        (None, _) => scope.namespaces == Namespaces::All,
    }
}
