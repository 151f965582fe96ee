//! What leads traffic to pods.

use serde_json::Value;

use super::{
    Printer,
    column::{AGE, NAME, text},
    row::{NONE, Row, UNSET, first_of, items, number, or, text as text_at},
    selector::{label_selector, labels},
};

pub(super) const SERVICE: Printer = Printer {
    columns: &[
        NAME,
        text("Type"),
        text("Cluster-IP"),
        text("External-IP"),
        text("Port(s)"),
        AGE,
        text("Selector").wide(),
    ],
    cells: |row| {
        let cluster_ip = or(row.text("/spec/clusterIPs/0"), row.text("/spec/clusterIP"));
        vec![
            row.name(),
            row.text("/spec/type").into(),
            or(cluster_ip, NONE).into(),
            external_ip(row).into(),
            ports(row).into(),
            row.age(),
            labels(row.object.pointer("/spec/selector")).into(),
        ]
    },
};

fn external_ip(row: &Row<'_>) -> String {
    let own: Vec<&str> = row.items("/spec/externalIPs").iter().filter_map(Value::as_str).collect();
    match row.text("/spec/type") {
        "ClusterIP" | "NodePort" if own.is_empty() => NONE.to_owned(),
        "ClusterIP" | "NodePort" => own.join(","),
        "LoadBalancer" => {
            let mut all = balancers(row);
            all.extend(own.into_iter().map(str::to_owned));
            if all.is_empty() { "<pending>".to_owned() } else { all.join(",") }
        }
        "ExternalName" => row.text("/spec/externalName").to_owned(),
        _ => "<unknown>".to_owned(),
    }
}

/// Addresses of load balancers, sorted, each once.
fn balancers(row: &Row<'_>) -> Vec<String> {
    let mut addresses: Vec<String> = row
        .items("/status/loadBalancer/ingress")
        .iter()
        .map(|ingress| or(text_at(ingress, "/ip"), text_at(ingress, "/hostname")).to_owned())
        .filter(|address| !address.is_empty())
        .collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

fn ports(row: &Row<'_>) -> String {
    let ports: Vec<String> = row
        .items("/spec/ports")
        .iter()
        .map(|port| {
            let (own, protocol) = (number(port, "/port"), text_at(port, "/protocol"));
            match number(port, "/nodePort") {
                node @ 1.. => format!("{own}:{node}/{protocol}"),
                _ => format!("{own}/{protocol}"),
            }
        })
        .collect();
    if ports.is_empty() { NONE.to_owned() } else { ports.join(",") }
}

pub(super) const ENDPOINTS: Printer = Printer {
    columns: &[NAME, text("Endpoints"), AGE],
    cells: |row| vec![row.name(), endpoints(row).into(), row.age()],
};

fn endpoints(row: &Row<'_>) -> String {
    let subsets = row.items("/subsets");
    if subsets.is_empty() {
        return NONE.to_owned();
    }
    let mut all = Vec::new();
    for subset in subsets {
        let ips = || items(subset, "/addresses").iter().map(|address| text_at(address, "/ip"));
        let ports = items(subset, "/ports");
        if ports.is_empty() {
            all.extend(ips().map(str::to_owned));
        }
        for port in ports {
            let port = number(port, "/port");
            all.extend(
                ips().map(|ip| if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }),
            );
        }
    }
    first_of(&all, 3)
}

pub(super) const ENDPOINT_SLICE: Printer = Printer {
    columns: &[NAME, text("AddressType"), text("Ports"), text("Endpoints"), AGE],
    cells: |row| {
        let ports: Vec<String> = row
            .items("/ports")
            .iter()
            .map(|port| match port.get("port").and_then(Value::as_i64) {
                Some(number) => number.to_string(),
                None => or(text_at(port, "/name"), "*").to_owned(),
            })
            .collect();
        let addresses: Vec<String> = row
            .items("/endpoints")
            .iter()
            .flat_map(|endpoint| items(endpoint, "/addresses"))
            .map(|address| address.as_str().unwrap_or_default().to_owned())
            .collect();
        let [ports, addresses] = [ports, addresses].map(|list| or(&first_of(&list, 3), UNSET).to_owned());
        vec![row.name(), row.text("/addressType").into(), ports.into(), addresses.into(), row.age()]
    },
};

pub(super) const INGRESS: Printer = Printer {
    columns: &[NAME, text("Class"), text("Hosts"), text("Address"), text("Ports"), AGE],
    cells: |row| {
        let ports = if row.count("/spec/tls") > 0 { "80, 443" } else { "80" };
        vec![
            row.name(),
            row.text_or("/spec/ingressClassName", NONE).into(),
            hosts(row).into(),
            balancers(row).join(",").into(),
            ports.into(),
            row.age(),
        ]
    },
};

fn hosts(row: &Row<'_>) -> String {
    let rules = row.items("/spec/rules");
    let mut hosts: Vec<&str> = Vec::new();
    let mut more = false;
    for rule in rules {
        let host = text_at(rule, "/host");
        more |= hosts.len() == 3;
        if !more && !host.is_empty() {
            hosts.push(host);
        }
    }
    match (hosts.join(","), more) {
        (none, _) if none.is_empty() => "*".to_owned(),
        (hosts, true) => format!("{hosts} + {} more...", rules.len().saturating_sub(3)),
        (hosts, false) => hosts,
    }
}

pub(super) const INGRESS_CLASS: Printer = Printer {
    columns: &[NAME, text("Controller"), text("Parameters"), AGE],
    cells: |row| vec![row.name(), row.text("/spec/controller").into(), parameters(row).into(), row.age()],
};

fn parameters(row: &Row<'_>) -> String {
    let Some(parameters) = row.object.pointer("/spec/parameters") else { return NONE.to_owned() };
    let kind = text_at(parameters, "/kind");
    let name = text_at(parameters, "/name");
    match text_at(parameters, "/apiGroup") {
        "" => format!("{kind}/{name}"),
        group => format!("{kind}.{group}/{name}"),
    }
}

pub(super) const NETWORK_POLICY: Printer = Printer {
    columns: &[NAME, text("Pod-Selector"), AGE],
    cells: |row| vec![row.name(), label_selector(row.object.pointer("/spec/podSelector")).into(), row.age()],
};

pub(super) const SERVICE_CIDR: Printer = Printer {
    columns: &[NAME, text("CIDRs"), AGE],
    cells: |row| {
        let ranges: Vec<&str> = row.items("/spec/cidrs").iter().filter_map(Value::as_str).collect();
        vec![row.name(), ranges.join(",").into(), row.age()]
    },
};

// The server gives one cell more than there are columns here.
pub(super) const IP_ADDRESS: Printer =
    Printer { columns: &[NAME, text("ParentRef")], cells: |row| vec![row.name(), parent(row).into(), row.age()] };

fn parent(row: &Row<'_>) -> String {
    let Some(parent) = row.object.pointer("/spec/parentRef") else { return NONE.to_owned() };
    let resource = crate::status::qualified(text_at(parent, "/group"), text_at(parent, "/resource"));
    let parts =
        [resource.to_lowercase(), text_at(parent, "/namespace").to_owned(), text_at(parent, "/name").to_owned()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}
