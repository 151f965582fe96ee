//! Finds the object that a person means in a source: [`kubewhy_core::resolve`] over the names that the source gives.

use kubewhy_core::resolve::{Candidate, ResolveError, Wanted, resolve};
use kubewhy_diagnosis::Target;
use kubewhy_diagnosis::kind::Kind;

use crate::source::Source;

impl Source {
    /// Finds the object that is meant; `context` is the kubeconfig context that a person named.
    ///
    /// # Errors
    /// Where nothing has that name, or several have it; where no kind is called so.
    pub fn find(&self, wanted: &Wanted, context: Option<&str>) -> Result<Target, ResolveError> {
        let wanted = self.placed(wanted);
        if wanted.kind == Some(Kind::Cluster) {
            return self.itself(&wanted).map(|candidate| candidate.to_target(self.name(), context));
        }
        let stages = self.stages(&wanted)?;
        if let ([kinds], Self::Cluster { .. }) = (stages.as_slice(), self)
            && let [kind] = kinds.as_slice()
        {
            // The cluster itself says whether it exists; no list is spent on a name that is right.
            let Wanted { name, namespace, .. } = wanted;
            let namespace = namespace.filter(|_| kind.is_namespaced());
            let candidate = Candidate { kind: *kind, namespace, name, cluster: None };
            return Ok(candidate.to_target(self.name(), context));
        }
        self.among(&wanted, &stages, context)
    }

    /// Looks among all names for the one that is meant.
    ///
    /// # Errors
    /// Where nothing has that name, or several have it; where no kind is called so.
    pub fn search(&self, wanted: &Wanted, context: Option<&str>) -> Result<Target, ResolveError> {
        let wanted = self.placed(wanted);
        let stages = self.stages(&wanted)?;
        self.among(&wanted, &stages, context)
    }

    /// Whole names first, which cost a cluster little, then their beginnings and the nearest.
    fn among(&self, wanted: &Wanted, stages: &[Vec<Kind>], context: Option<&str>) -> Result<Target, ResolveError> {
        let namespace = wanted.namespace.as_deref();
        let target = |candidate: &Candidate| candidate.to_target(self.name(), context);
        if matches!(self, Self::Cluster { .. }) {
            for kinds in stages {
                let named = self.named(kinds, namespace, &wanted.name);
                if !named.is_empty() {
                    return resolve(wanted, &named).map(target);
                }
            }
        }
        let kinds = match stages {
            [kinds] => kinds.clone(),
            _ => wanted.kinds(),
        };
        resolve(wanted, &self.candidates(&kinds, namespace)).map(target)
    }

    /// The kinds among whose names it is to be looked for, stage by stage; what a word means that is in no table, the source
    /// says.
    ///
    /// # Errors
    /// Where the source has no kind of that name.
    pub fn stages(&self, wanted: &Wanted) -> Result<Vec<Vec<Kind>>, ResolveError> {
        match &wanted.word {
            Some(word) => self.kinds_named(word).map(|kinds| vec![kinds]),
            None => Ok(wanted.stages()),
        }
    }

    /// The cluster itself. A dump does not know what people call it.
    fn itself(&self, wanted: &Wanted) -> Result<Candidate, ResolveError> {
        let own = self.names(Kind::Cluster, None).pop().map(|(_, name)| name).unwrap_or_default();
        let candidate =
            |name: &str| Candidate { kind: Kind::Cluster, namespace: None, name: name.to_owned(), cluster: None };
        match (self, wanted.name.as_str()) {
            (_, "") => Ok(candidate(&own)),
            (Self::Dump { .. }, name) => Ok(candidate(name)),
            (Self::Cluster { .. }, name) if name.eq_ignore_ascii_case(&own) => Ok(candidate(&own)),
            _ => Err(ResolveError::NotFound { wanted: Box::new(wanted.clone()), next: vec![candidate(&own)] }),
        }
    }

    /// The same in the namespace that is meant where none is named.
    fn placed(&self, wanted: &Wanted) -> Wanted {
        let namespace = wanted.namespace.clone().or_else(|| self.default_namespace().map(str::to_owned));
        Wanted { namespace: namespace.filter(|_| wanted.kind.is_none_or(Kind::is_namespaced)), ..wanted.clone() }
    }
}
