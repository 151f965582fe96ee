//! Finds the object that a person means in a source: [`kubewhy_core::resolve`] over the names that the source gives.

use kubewhy_core::resolve::{Candidate, ResolveError, Wanted, resolve};
use kubewhy_diagnosis::Target;

use crate::source::Source;

impl Source {
    /// Finds the object that is meant; `context` is the kubeconfig context that a person named.
    ///
    /// # Errors
    /// Where nothing has that name, or several have it.
    pub fn find(&self, wanted: &Wanted, context: Option<&str>) -> Result<Target, ResolveError> {
        let wanted = self.placed(wanted);
        if let (Some(kind), Self::Cluster { .. }) = (wanted.kind, self) {
            // The cluster itself says whether it exists; no list is spent on a name that is right.
            let Wanted { name, namespace, .. } = wanted;
            let namespace = namespace.filter(|_| kind.is_namespaced());
            let candidate = Candidate { kind, namespace, name, cluster: None };
            return Ok(candidate.to_target(self.name(), context));
        }
        self.search(&wanted, context)
    }

    /// Looks among all names for the one that is meant.
    ///
    /// # Errors
    /// Where nothing has that name, or several have it.
    pub fn search(&self, wanted: &Wanted, context: Option<&str>) -> Result<Target, ResolveError> {
        let wanted = self.placed(wanted);
        let found = resolve(&wanted, &self.candidates(&wanted.kinds(), wanted.namespace.as_deref())).cloned();
        found.map(|candidate| candidate.to_target(self.name(), context))
    }

    /// The same in the namespace that is meant where none is named.
    fn placed(&self, wanted: &Wanted) -> Wanted {
        let namespace = wanted.namespace.clone().or_else(|| self.default_namespace().map(str::to_owned));
        Wanted { namespace, ..wanted.clone() }
    }
}
