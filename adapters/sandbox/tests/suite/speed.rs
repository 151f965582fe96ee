//! What must not grow with the cluster.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::api::{Api, names};

#[tokio::test]
async fn a_small_question_to_a_large_cluster_is_quick() {
    let api = Api::new();
    for number in 0..5_000 {
        api.pod(&format!("n{}", number % 50), &format!("p{number}"));
    }
    let pods = "/api/v1/namespaces/n7/pods";
    let started = Instant::now();
    for _ in 0..50 {
        assert_eq!(api.get(&format!("{pods}/p7")).await.0, 200);
        assert_eq!(names(&api.get(&format!("{pods}?limit=5")).await.1).len(), 5);
        let annotate = json!({"metadata": {"annotations": {"at": format!("{:?}", started.elapsed())}}});
        assert_eq!(api.merge(&format!("{pods}/p7"), annotate).await.0, 200);
    }
    // Unoptimised, on a busy machine: two orders of magnitude above what it takes, and below what a copy of all takes.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let api_at = |namespace: usize| format!("/api/v1/namespaces/n{namespace}/pods");
    assert_eq!(names(&api.get(&api_at(49)).await.1).len(), 100);
}
