use super::*;

fn only(namespaces: &[&str]) -> Namespaces {
    Namespaces::Only(namespaces.iter().map(|namespace| (*namespace).to_owned()).collect())
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn policy() -> Policy {
    Policy {
        groups: vec![Group { name: "sre".to_owned(), platform_groups: set(&["slack:S1", "discord:9"]) }],
        people: vec![Member { name: "ada".to_owned(), ids: set(&["slack:T1:U1"]), groups: set(&["sre"]) }],
        clusters: vec![
            ClusterScope { name: "prod".to_owned(), namespaces: Namespaces::All },
            ClusterScope { name: "edge".to_owned(), namespaces: only(&["shop", "billing"]) },
        ],
        channels: vec![ChannelScope {
            channel: "slack:C1".to_owned(),
            clusters: set(&["edge"]),
            namespaces: only(&["shop", "web"]),
        }],
        ..Policy::default()
    }
}

fn person(id: &str) -> Person {
    Person { id: id.to_owned(), ..Person::default() }
}

fn identity(standing: Standing, groups: &[&str]) -> Identity {
    Identity { standing, groups: set(groups) }
}

fn place(channel: &str) -> Place {
    Place { channel: channel.to_owned(), thread: None }
}

fn grant(policy: &Policy, id: &str, standing: Standing, groups: &[&str], channel: &str) -> Result<Grant, UserError> {
    policy.grant(&person(id), &identity(standing, groups), &place(channel))
}

#[test]
fn by_default_members_ask_and_nobody_else() {
    let policy = policy();
    let expected = [
        (Standing::Member, true),
        (Standing::Guest, false),
        (Standing::External, false),
        (Standing::Bot, false),
        (Standing::Unknown, false),
    ];
    for (standing, allowed) in expected {
        let answer = grant(&policy, "slack:T1:U7", standing, &[], "slack:C9");
        assert_eq!(answer.is_ok(), allowed, "{standing:?}");
        if let Err(error) = answer {
            assert!(!error.next.is_empty(), "what to do is said: {error}");
        }
    }
}

#[test]
fn guests_ask_where_they_are_welcome_and_programs_never() {
    let policy = Policy { guests: Guests::Welcome, ..policy() };
    assert!(grant(&policy, "slack:T1:U7", Standing::Guest, &[], "slack:C9").is_ok());
    assert!(grant(&policy, "slack:T2:U7", Standing::External, &[], "slack:C9").is_ok());
    assert!(grant(&policy, "slack:T1:B7", Standing::Bot, &[], "slack:C9").is_err());
    assert!(grant(&policy, "slack:T1:U7", Standing::Unknown, &[], "slack:C9").is_err());
}

#[test]
fn groups_are_those_of_the_platform_and_those_that_a_person_was_given() {
    let policy = Policy { ask: Ask::Groups, ..policy() };
    for (id, groups, allowed) in [
        ("slack:T1:U7", &["slack:S1"][..], true),
        ("discord:5", &["discord:9"], true),
        ("slack:T1:U1", &[], true),
        ("slack:T1:U7", &["slack:S2"], false),
        ("slack:T1:U7", &[], false),
    ] {
        let answer = grant(&policy, id, Standing::Member, groups, "slack:C9");
        assert_eq!(answer.is_ok(), allowed, "{id} {groups:?}");
        if let Err(error) = answer {
            assert!(error.to_string().contains("Members of sre may"), "{error}");
        }
    }
    let nobody = Policy { groups: Vec::new(), people: Vec::new(), ..policy };
    let error = grant(&nobody, "slack:T1:U7", Standing::Member, &["slack:S1"], "slack:C9").expect_err("nobody may");
    assert!(error.to_string().contains("no group is configured"), "{error}");
}

#[test]
fn log_tails_are_for_groups_unless_configured_otherwise() {
    let no_logs = |logs, groups: &[&str]| {
        let policy = Policy { logs, ..policy() };
        grant(&policy, "slack:T1:U7", Standing::Member, groups, "slack:C9").expect("a grant").no_logs
    };
    assert!(no_logs(Logs::Groups, &["slack:S1"]).is_none());
    assert!(no_logs(Logs::Groups, &[]).expect("withheld").to_string().contains("Members of sre"));
    assert!(no_logs(Logs::All, &[]).is_none());
    assert!(no_logs(Logs::Off, &["slack:S1"]).is_some());
}

#[test]
fn a_channel_narrows_what_is_asked_in_it_and_never_widens_it() {
    let policy = policy();
    let here = grant(&policy, "slack:T1:U7", Standing::Member, &[], "slack:C1").expect("a grant");
    let expected = ClusterScope { name: "edge".to_owned(), namespaces: only(&["shop"]) };
    assert_eq!(here.clusters, [expected]);
    let elsewhere = grant(&policy, "slack:T1:U7", Standing::Member, &[], "slack:C9").expect("a grant");
    assert_eq!(elsewhere.clusters, policy.clusters);
    let apart = Policy {
        channels: vec![ChannelScope {
            channel: "slack:C1".to_owned(),
            clusters: set(&["edge"]),
            namespaces: only(&["else"]),
        }],
        ..policy
    };
    assert!(grant(&apart, "slack:T1:U7", Standing::Member, &[], "slack:C1").is_err());
}

#[test]
fn a_refused_namespace_is_told_with_the_channel_that_has_it() {
    let policy = policy();
    let here = ClusterScope { name: "edge".to_owned(), namespaces: only(&["billing"]) };
    let error = not_this_namespace(Some(&policy), &here, "shop");
    assert!(error.to_string().contains("It is in slack:C1."), "{error}");
    let error = not_this_namespace(Some(&policy), &here, "kube-system");
    assert!(error.to_string().contains("Here: billing."), "{error}");
}
