//! Peers that answered "not now": their own start, their limits, their load.

use super::rule::{Hit, Rule};
use super::{Failure, System, clean};

pub(super) const RULES: &[Rule] = &[
    Rule::sure(
        "the database system is |too many clients already|remaining connection slots|\
         too many connections for |terminating connection due to administrator command|\
         no more connections allowed|max_client_conn",
        concat!(
            "(?:the database system is (?:starting up|shutting down|",
            "in recovery mode|not (?:yet )?accepting connections)|",
            "sorry, too many clients already|remaining connection slots are reserved.*|",
            r#"too many connections for (?:role|database) "[^"]+"|terminating connection due to administrator "#,
            r"command|no more connections allowed \(max_client_conn\))"
        ),
        |hit| not_now(hit, System::PostgreSql),
    ),
    Rule::sure(
        "too many connections|max_user_connections|is blocked because of many connection errors|\
         server shutdown in progress",
        concat!(
            "(?:Too many connections|max_user_connections|is blocked because of many connection errors|",
            "Server shutdown in progress)"
        ),
        |hit| not_now(hit, System::MySql),
    ),
    Rule::sure(
        "loading redis is loading|max number of clients reached|masterdown|readonly you can't write|\
         clusterdown|oom command not allowed|misconf redis|tryagain multiple keys|busy redis is busy|\
         busyloadingerror|redis is loading the dataset|noreplicas not enough",
        concat!(
            "(?:LOADING Redis is loading.*|(?:Redis is loading the dataset in memory)|",
            "max number of clients reached|MASTERDOWN.*|READONLY You can't write.*|",
            "CLUSTERDOWN.*|OOM command not allowed.*|MISCONF Redis.*|",
            "BUSY Redis is busy.*|NOREPLICAS.*)"
        ),
        |hit| not_now(hit, System::Redis),
    ),
    Rule::sure(
        "not primary|notwritableprimary|node is recovering|notprimarynosecondaryok|interruptedatshutdown|\
         primarysteppeddown",
        concat!(
            "(?:not primary(?: and secondaryOk=false)?|NotWritablePrimary|",
            "node is recovering|NotPrimaryNoSecondaryOk|InterruptedAtShutdown|",
            "PrimarySteppedDown)"
        ),
        |hit| not_now(hit, System::MongoDb),
    ),
    Rule::sure(
        "leader_not_available|coordinator_not_available|not_enough_replicas|coordinator is not available|\
         notenoughreplicasexception",
        concat!(
            "(?:LEADER_NOT_AVAILABLE|COORDINATOR_NOT_AVAILABLE|NOT_ENOUGH_REPLICAS|",
            "[Cc]oordinator is not available|NotEnoughReplicasException)"
        ),
        |hit| not_now(hit, System::Kafka),
    ),
    Rule::sure(
        "circuit_breaking_exception|es_rejected_execution|cluster_block_exception|\
         service_unavailable/1/state not recovered|master_not_discovered",
        concat!(
            "(?:circuit_breaking_exception.*|es_rejected_execution_exception.*|",
            "cluster_block_exception.*|SERVICE_UNAVAILABLE/1/state not recovered.*|",
            "master_not_discovered_exception.*)"
        ),
        |hit| not_now(hit, System::Elasticsearch),
    ),
    Rule::sure(
        "etcdserver: request timed out|etcdserver: leader changed|etcdserver: too many requests|\
         etcdserver: no leader|etcdserver: mvcc: database space exceeded",
        concat!(
            "etcdserver: (?:request timed out.*|leader changed|too many requests|",
            "no leader|mvcc: database space exceeded)"
        ),
        |hit| not_now(hit, System::Etcd),
    ),
    Rule::sure(
        "ora-12514|ora-12528|ora-01033|ora-00018|ora-12516|ora-12519|ora-12520",
        r"ORA-(?:12514|12528|01033|00018|12516|12519|12520): .*",
        |hit| not_now(hit, System::Oracle),
    ),
    Rule::sure("vault is sealed", r"Vault is sealed", |hit| not_now(hit, System::Vault)),
    Rule::sure("resource_locked|vhost '", r"(?:RESOURCE_LOCKED.*|vhost '[^']*' is down)", |hit| {
        not_now(hit, System::RabbitMq)
    }),
    Rule::sure(
        "toomanyrequests|429 too many requests|throttlingexception|rate exceeded|requestlimitexceeded|\
         slowdown",
        concat!(
            "(?:429 Too Many Requests|TooManyRequests(?:Exception)?|",
            "ThrottlingException.*|Rate exceeded|RequestLimitExceeded.*|",
            "SlowDown: .*)"
        ),
        |hit| not_now(hit, System::Http),
    ),
    Rule::likely(
        "code = unavailable|code = resourceexhausted|14 unavailable|status{code=unavailable|unavailable: io exception|statuscode.unavailable",
        concat!(
            "(?:code = (?:Unavailable|ResourceExhausted)(?: desc = .*)?|",
            r"14 UNAVAILABLE.*|Status\{code=UNAVAILABLE.*|UNAVAILABLE: io exception|",
            r"StatusCode\.UNAVAILABLE)"
        ),
        |hit| {
            // What the transport met says more than gRPC's code for it.
            let lower = hit.text.to_ascii_lowercase();
            let is_transport = [
                "refused",
                "no such host",
                "i/o timeout",
                "no route",
                "x509",
                "deadline",
                "reset by",
                "name resolution",
                "enotfound",
                "timed out",
            ];
            if is_transport.iter().any(|word| lower.contains(word)) { None } else { not_now(hit, System::Grpc) }
        },
    ),
    Rule::likely(
        "502|503|504",
        concat!(
            r"(?:\b(?:status|status code|statusCode|HTTP|HTTP/1\.1|",
            "response code|StatusCode|code|returned error|unexpected status|",
            "unexpected status code|returned|got|respond(?:ed|s) with|",
            r"answered)(?: was|:| of|=)*\s*\(?50[234]\b.*|\b50[234] (?:Server Error: )?(?:Bad Gateway|",
            r"Service Unavailable|Service Temporarily Unavailable|Gateway Time-?out)\b.*)"
        ),
        |hit| not_now(hit, System::Http),
    ),
];

#[expect(clippy::unnecessary_wraps, reason = "a rule may find that its match means nothing")]
fn not_now(hit: &Hit<'_>, system: System) -> Option<Failure> {
    Some(Failure::Overloaded { peer: hit.peer(), system: Some(system), what: clean::bound(&hit.whole(), 200) })
}
