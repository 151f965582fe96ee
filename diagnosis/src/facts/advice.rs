//! What ends the trouble behind words of programs that many people meet: where the log names a setting, the step that
//! names it too.

use kubewhy_text::{Text, code, name, text};

use crate::case::Case;
use crate::facts::ends::Template;
use crate::finding::Fix;
use crate::pods::{self, ContainerView};

/// What Elasticsearch, `OpenSearch` and Sonarqube ask for.
const MAP_COUNT: &str = "vm.max_map_count=262144";

/// What a failure means, and the step that ends it, by the program's words; none for words that say it all themselves.
pub(crate) fn by_words(
    case: &Case<'_>,
    template: &Template,
    container: &ContainerView<'_>,
    words: &str,
) -> Option<(Text, Fix)> {
    data_directory(case, template, container, words)
        .or_else(|| data_source(case, template, container, words))
        .or_else(|| map_count(case, words))
        .or_else(|| cookie(case, template, words))
        .or_else(|| packet_filter(case, words))
        .or_else(|| variable(case, template, container, words))
}

/// The command that sets a variable of a container; a pod's environment cannot be changed, its controller's can.
pub(crate) fn set_variable(
    case: &Case<'_>,
    template: &Template,
    container: &ContainerView<'_>,
    assignment: &str,
) -> String {
    if template.is_pod {
        return template.edit(case);
    }
    case.kubectl(["set", "env", template.argument.as_str(), "-c", container.name(), assignment])
}

fn data_directory(
    case: &Case<'_>,
    template: &Template,
    container: &ContainerView<'_>,
    words: &str,
) -> Option<(Text, Fix)> {
    let (_, rest) = words.split_once("directory \"")?;
    let (directory, rest) = rest.split_once('"')?;
    if !rest.contains("exists but is not empty") {
        return None;
    }
    let below = format!("{}/pgdata", directory.trim_end_matches('/'));
    let meaning = text![
        "A new volume often holds a directory ",
        code("lost+found"),
        ", and the database makes its files only in an empty directory."
    ];
    let fix = Fix::disruptive(text![
        "let the database use a subdirectory of the volume: set ",
        code("PGDATA"),
        " to ",
        code(below.clone()),
        ", or mount the volume with ",
        code("subPath: pgdata")
    ]);
    Some((meaning, fix.command(set_variable(case, template, container, &format!("PGDATA={below}")))))
}

fn data_source(
    case: &Case<'_>,
    template: &Template,
    container: &ContainerView<'_>,
    words: &str,
) -> Option<(Text, Fix)> {
    if !words.contains("Failed to configure a DataSource") {
        return None;
    }
    let meaning = text![
        "Spring found no ",
        code("spring.datasource.url"),
        ": neither the variable is set nor a profile active whose file holds it."
    ];
    let fix = Fix::disruptive(text![
        "set ",
        code("SPRING_DATASOURCE_URL"),
        " in env of container ",
        name(container.name()),
        ", or activate the profile that holds the url with ",
        code("SPRING_PROFILES_ACTIVE")
    ]);
    let set = set_variable(case, template, container, "SPRING_DATASOURCE_URL=jdbc:URL_OF_THE_DATABASE");
    Some((meaning, fix.command(set)))
}

fn map_count(case: &Case<'_>, words: &str) -> Option<(Text, Fix)> {
    if !words.contains("vm.max_map_count") {
        return None;
    }
    let node = case.pod().and_then(pods::node_name);
    let meaning = text![
        "The setting belongs to the kernel of the node, for all its pods; nothing in the pod's environment changes it."
    ];
    let fix = Fix::disruptive(text![
        "set ",
        code(MAP_COUNT),
        " on ",
        node.map_or_else(|| text!["the node"], |node| text!["node ", name(node)]),
        ", or let a privileged init container run ",
        code(format!("sysctl -w {MAP_COUNT}"))
    ]);
    let target = node.map(|node| format!("node/{node}"));
    let command = target.map(|target| {
        let words = ["debug", &target, "-it", "--image=busybox", "--profile=sysadmin", "--", "sysctl", "-w", MAP_COUNT];
        case.kubectl_cluster(words)
    });
    Some((meaning, command.into_iter().fold(fix, Fix::command)))
}

fn cookie(case: &Case<'_>, template: &Template, words: &str) -> Option<(Text, Fix)> {
    let (_, rest) = words.split_once("ookie file ")?;
    let (path, _) = rest.split_once(" must be accessible by owner only")?;
    let meaning = text![
        "Erlang refuses a cookie that others may read. An fsGroup of the pod gives the files of a volume to a group with \
         each mount."
    ];
    let fix = Fix::disruptive(text![
        "give ",
        code(path),
        " back to its owner: an init container that runs ",
        code(format!("chmod 400 {path}")),
        ", and ",
        code("fsGroupChangePolicy: OnRootMismatch"),
        " so that fsGroup does not open it again"
    ]);
    Some((meaning, fix.command(template.edit(case))))
}

fn packet_filter(case: &Case<'_>, words: &str) -> Option<(Text, Fix)> {
    let telling = ["No chain/target/match by that name", "can't initialize ip", "Table does not exist"];
    if !words.contains("tables") || !telling.iter().any(|telling| words.contains(telling)) {
        return None;
    }
    let node = case.pod().and_then(pods::node_name);
    let place = node.map_or_else(|| text!["the node"], |node| text!["node ", name(node)]);
    let meaning = text!["The kernel of ", place.clone(), " lacks the iptables module that the rule needs."];
    let fix = Fix::disruptive(text![
        "load the kernel modules on ",
        place,
        ": ",
        code("modprobe -a iptable_nat xt_REDIRECT xt_owner xt_conntrack"),
        ", or use the CNI plugin of the service mesh instead of its init container"
    ]);
    Some((meaning, fix))
}

/// A variable that the words name, in the container or as a word such as `SSL_MODE` after "environment variable".
fn variable(case: &Case<'_>, template: &Template, container: &ContainerView<'_>, words: &str) -> Option<(Text, Fix)> {
    let bare = |word: &str| -> String {
        word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').to_owned()
    };
    let own = |word: &String| container.spec.env.iter().flatten().any(|variable| variable.name == *word);
    let mut after = words.split("variable").skip(1).filter_map(|rest| rest.split_whitespace().next()).map(bare);
    let is_name = |word: &String| {
        word.len() > 2
            && word.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_')
    };
    let named = after.find(is_name).or_else(|| words.split_whitespace().map(bare).find(own))?;
    let meaning = text!["It speaks of variable ", code(named.clone()), " of container ", name(container.name()), "."];
    let fix = Fix::disruptive(text!["give ", code(named.clone()), " a value that the program accepts"]);
    Some((meaning, fix.command(set_variable(case, template, container, &format!("{named}=VALUE")))))
}
