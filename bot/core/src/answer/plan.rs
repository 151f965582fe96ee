//! x
use kubewhy_diagnosis::Report;
use kubewhy_diagnosis::finding::Action;

/// The actions that a report offers.
pub(super) fn offered(report: &Report) -> Vec<Action> {
    let mut offered = Vec::new();
    for action in report.findings.iter().flat_map(|ranked| ranked.finding.fixes.iter()).filter_map(|fix| fix.remedy) {
        if !offered.contains(&action) {
            offered.push(action);
        }
    }
    offered
}
