use serde_json::{Value, json};

use super::*;

fn policy(spec: &Value) -> NetworkPolicy {
    let value = json!({"metadata": {"name": "p", "namespace": "shop"}, "spec": spec});
    serde_json::from_value(value).expect("a policy")
}

fn pod(namespace: &str, app: &str) -> PodEnd {
    PodEnd {
        namespace: namespace.to_owned(),
        namespace_labels: None,
        labels: BTreeMap::from([("app".to_owned(), app.to_owned())]),
        ports: vec![("http".to_owned(), 8080, "TCP".to_owned())],
        on_host: false,
    }
}

const HTTP: Port = Port { number: 8080, protocol: "TCP" };
const DNS: Port = Port { number: 53, protocol: "UDP" };

fn outside(ip: Option<&str>) -> End {
    End::Address { ip: ip.map(|ip| ip.parse().expect("an address")), may_be_pod: false }
}

/// `open`, `unknown` or what is lacking.
fn told(spec: &Value, direction: Direction, other: &End, port: Option<&Port>) -> String {
    match way([&policy(spec)], &pod("shop", "web"), direction, other, port) {
        Way::Open => "open".to_owned(),
        Way::Unknown => "unknown".to_owned(),
        Way::Closed(closing) => format!("{:?}", closing[0].lacks),
    }
}

#[test]
fn rules_into_a_pod() {
    use Direction::Ingress;
    let peer = End::Pod(pod("shop", "cart"));
    let far = End::Pod(pod("other", "cart"));
    for (spec, other, want) in [
        (json!({"podSelector": {}}), &peer, "Everything"),
        (json!({"podSelector": {}, "ingress": []}), &peer, "Everything"),
        (json!({"podSelector": {}, "ingress": [{}]}), &peer, "open"),
        (json!({"podSelector": {"matchLabels": {"app": "db"}}}), &peer, "open"),
        (json!({"podSelector": {}, "policyTypes": ["Egress"]}), &peer, "open"),
        (json!({"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}), &peer, "open"),
        (json!({"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}), &far, "TheEnd"),
        (
            json!({"podSelector": {}, "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "job"}}}]}]}),
            &peer,
            "TheEnd",
        ),
        (json!({"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}}]}]}), &far, "open"),
        (
            json!({"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}, "podSelector": {"matchLabels": {"app": "cart"}}}]}]}),
            &far,
            "open",
        ),
        // Both stand in one item: both have to fit.
        (
            json!({"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}, "podSelector": {"matchLabels": {"app": "job"}}}]}]}),
            &far,
            "TheEnd",
        ),
        // In two items one suffices.
        (
            json!({"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}}, {"podSelector": {"matchLabels": {"app": "job"}}}]}]}),
            &far,
            "open",
        ),
        (
            json!({"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}]}]}),
            &far,
            "unknown",
        ),
        (json!({"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}), &peer, "unknown"),
        (json!({"podSelector": {}, "ingress": [{"ports": [{"port": 8080}]}]}), &peer, "open"),
        (json!({"podSelector": {}, "ingress": [{"ports": [{"port": "http"}]}]}), &peer, "open"),
        (json!({"podSelector": {}, "ingress": [{"ports": [{"port": "grpc"}]}]}), &peer, "ThePort"),
        (json!({"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}), &peer, "ThePort"),
        (json!({"podSelector": {}, "ingress": [{"ports": [{"port": 8000, "endPort": 8100}]}]}), &peer, "open"),
        (json!({"podSelector": {}, "ingress": [{"ports": [{"protocol": "UDP", "port": 8080}]}]}), &peer, "ThePort"),
        (json!({"podSelector": {}, "ingress": [{"ports": [{"protocol": "TCP"}]}]}), &peer, "open"),
    ] {
        assert_eq!(told(&spec, Ingress, other, Some(&HTTP)), want, "{spec}");
    }
}

#[test]
fn rules_out_of_a_pod() {
    use Direction::Egress;
    let dns = End::Pod(PodEnd {
        labels: BTreeMap::from([("k8s-app".to_owned(), "kube-dns".to_owned())]),
        ..pod("kube-system", "")
    });
    let all = json!([{"ipBlock": {"cidr": "0.0.0.0/0"}}]);
    let but = json!([{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["203.0.113.0/24"]}}]);
    for (spec, other, port, want) in [
        (json!({"podSelector": {}}), &dns, &DNS, "open"),
        (json!({"podSelector": {}, "policyTypes": ["Egress"]}), &dns, &DNS, "Everything"),
        (json!({"podSelector": {}, "egress": []}), &dns, &DNS, "Everything"),
        (json!({"podSelector": {}, "egress": [{"ports": [{"port": 53}]}]}), &dns, &DNS, "ThePort"),
        (json!({"podSelector": {}, "egress": [{"ports": [{"port": 53, "protocol": "UDP"}]}]}), &dns, &DNS, "open"),
        (json!({"podSelector": {}, "egress": [{"to": [{"podSelector": {}}]}]}), &dns, &DNS, "TheEnd"),
        (json!({"podSelector": {}, "egress": [{"to": all}]}), &outside(Some("198.51.100.9")), &HTTP, "open"),
        (json!({"podSelector": {}, "egress": [{"to": all}]}), &outside(None), &HTTP, "open"),
        (json!({"podSelector": {}, "egress": [{"to": but}]}), &outside(Some("203.0.113.9")), &HTTP, "TheEnd"),
        (json!({"podSelector": {}, "egress": [{"to": but}]}), &outside(None), &HTTP, "unknown"),
        (json!({"podSelector": {}, "egress": [{"to": [{"namespaceSelector": {}}]}]}), &outside(None), &HTTP, "TheEnd"),
        (
            json!({"podSelector": {}, "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}),
            &outside(Some("10.9.8.7")),
            &HTTP,
            "open",
        ),
        (
            json!({"podSelector": {}, "egress": [{"to": [{"ipBlock": {"cidr": "fd00::/8"}}]}]}),
            &outside(Some("10.9.8.7")),
            &HTTP,
            "TheEnd",
        ),
    ] {
        assert_eq!(told(&spec, Egress, other, Some(port)), want, "{spec}");
    }
}

#[test]
fn the_union_of_policies_counts() {
    let deny = policy(&json!({"podSelector": {}, "policyTypes": ["Ingress"]}));
    let allow =
        policy(&json!({"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{"from": [{"podSelector": {}}]}]}));
    let peer = End::Pod(pod("shop", "cart"));
    let into =
        |policies: Vec<&NetworkPolicy>| way(policies, &pod("shop", "web"), Direction::Ingress, &peer, Some(&HTTP));
    assert!(matches!(into(vec![&deny]), Way::Closed(closing) if closing.len() == 1));
    assert_eq!(into(vec![&deny, &allow]), Way::Open);
    assert_eq!(into(vec![]), Way::Open);
}

#[test]
fn a_pod_on_its_host_is_not_selected() {
    let deny = policy(&json!({"podSelector": {}, "policyTypes": ["Ingress"]}));
    let host = PodEnd { on_host: true, ..pod("shop", "web") };
    assert_eq!(way([&deny], &host, Direction::Ingress, &End::Pod(pod("shop", "cart")), Some(&HTTP)), Way::Open);
}

#[test]
fn a_port_that_is_not_known_decides_nothing() {
    let spec = json!({"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]});
    assert_eq!(told(&spec, Direction::Ingress, &End::Pod(pod("shop", "cart")), None), "unknown");
}

#[test]
fn ranges_hold_addresses() {
    for (cidr, ip, want) in [
        ("10.0.0.0/8", "10.255.0.1", Some(true)),
        ("10.0.0.0/8", "11.0.0.1", Some(false)),
        ("0.0.0.0/0", "1.2.3.4", Some(true)),
        ("192.0.2.7/32", "192.0.2.7", Some(true)),
        ("192.0.2.7/32", "192.0.2.8", Some(false)),
        ("fd00::/8", "fd12::1", Some(true)),
        ("::/0", "1.2.3.4", Some(false)),
        ("10.0.0.0/40", "10.0.0.1", None),
        ("nonsense", "10.0.0.1", None),
    ] {
        assert_eq!(contains(cidr, ip.parse().expect("an address")), want, "{cidr} {ip}");
    }
}
