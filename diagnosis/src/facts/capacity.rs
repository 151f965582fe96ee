//! Facts of the stage scheduling: the verdict, what bars the pod from each node, and the arithmetic of its requests.
//!
//! Read once and sorted out here, so that exactly one cause speaks for one fault: [`blockers::blockers`] says which
//! faults there are and which of them leads.

pub(crate) mod advice;
pub(crate) mod blockers;
pub(crate) mod demand;
pub(crate) mod matching;
pub(crate) mod neighbours;
pub(crate) mod shortage;
pub(crate) mod sites;
pub(crate) mod unscheduled;
