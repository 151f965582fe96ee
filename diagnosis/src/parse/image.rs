//! Image references: where an image comes from, and what makes a reference impossible.

/// An image reference that can be read: `registry.example.com:5000/team/web:1.4.2@sha256:...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRef {
    /// The registry with its port; `docker.io` where the reference names none.
    pub host: String,
    /// The repository within the registry; Docker Hub's official images have `library/` in front.
    pub repository: String,
    /// The tag, if one is named.
    pub tag: Option<String>,
    /// The digest, if one is named.
    pub digest: Option<String>,
}

/// Well-known official images of Docker Hub, for "did you mean".
pub const OFFICIAL: [&str; 48] = [
    "alpine",
    "almalinux",
    "amazonlinux",
    "busybox",
    "caddy",
    "cassandra",
    "centos",
    "couchdb",
    "debian",
    "docker",
    "drupal",
    "eclipse-temurin",
    "elasticsearch",
    "fedora",
    "ghost",
    "golang",
    "gradle",
    "haproxy",
    "httpd",
    "influxdb",
    "kibana",
    "logstash",
    "mariadb",
    "maven",
    "memcached",
    "mongo",
    "mysql",
    "nats",
    "neo4j",
    "nextcloud",
    "nginx",
    "node",
    "openjdk",
    "perl",
    "php",
    "postgres",
    "python",
    "rabbitmq",
    "redis",
    "registry",
    "rockylinux",
    "ruby",
    "rust",
    "telegraf",
    "tomcat",
    "traefik",
    "ubuntu",
    "zookeeper",
];

/// Why a reference cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// There is nothing.
    Empty,
    /// A variable or a template was not filled in: `$TAG`, `{{ .Values.tag }}`, `<tag>`.
    Placeholder,
    /// `http://` or another scheme stands in front.
    Scheme,
    /// A space or line break, mostly at the end.
    Whitespace,
    /// The repository has upper-case letters.
    UpperCase,
    /// A colon with nothing behind it.
    EmptyTag,
    /// A tag that has characters that no tag may have, or more than 128 of them.
    BadTag,
    /// An `@` without `sha256:` and 64 hexadecimal digits behind it.
    BadDigest,
    /// Anything else.
    Other,
}

impl ImageRef {
    /// Reads a reference as container runtimes do.
    ///
    /// # Errors
    /// What makes it impossible.
    pub fn parse(reference: &str) -> Result<Self, Flaw> {
        check_outside(reference)?;
        let (rest, digest) = match reference.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (reference, None),
        };
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(Flaw::BadDigest);
        }
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
            _ => (rest, None),
        };
        match tag {
            Some("") => return Err(Flaw::EmptyTag),
            Some(tag) if !is_tag(tag) => return Err(Flaw::BadTag),
            _ => {}
        }
        let (host, repository) = split_host(path);
        if repository.chars().any(|c| c.is_ascii_uppercase()) {
            return Err(Flaw::UpperCase);
        }
        if !repository.split('/').all(is_component) {
            return Err(Flaw::Other);
        }
        let official = host == "docker.io" && !repository.contains('/');
        Ok(Self {
            host: host.to_owned(),
            repository: if official { format!("library/{repository}") } else { repository.to_owned() },
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// Tells whether it is one of Docker Hub's official images, all of which are public.
    pub fn is_official(&self) -> bool {
        self.host == "docker.io" && self.repository.starts_with("library/")
    }

    /// Where the image has moved to, for registries and organisations that were given up.
    pub fn moved(&self) -> Option<Self> {
        let (host, repository) = match (self.host.as_str(), self.repository.as_str()) {
            // Frozen in 2023: <https://kubernetes.io/blog/2023/02/06/k8s-gcr-io-freeze-announcement/>
            ("k8s.gcr.io", repository) => ("registry.k8s.io", repository.to_owned()),
            ("gcr.io", repository) => {
                ("registry.k8s.io", repository.strip_prefix("google_containers/").map(str::to_owned)?)
            }
            // Versioned tags moved in 2025: <https://github.com/bitnami/charts/issues/35164>
            ("docker.io", repository) => {
                ("docker.io", format!("bitnamilegacy/{}", repository.strip_prefix("bitnami/")?))
            }
            _ => return None,
        };
        Some(Self { host: host.to_owned(), repository, ..self.clone() })
    }

    /// The image as a person would write it.
    pub fn written(&self) -> String {
        let repository = self.repository.strip_prefix("library/").filter(|_| self.is_official());
        let path = match repository {
            Some(short) => short.to_owned(),
            None if self.host == "docker.io" => self.repository.clone(),
            None => format!("{}/{}", self.host, self.repository),
        };
        let tag = self.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest = self.digest.as_ref().map(|digest| format!("@{digest}")).unwrap_or_default();
        format!("{path}{tag}{digest}")
    }
}

fn check_outside(reference: &str) -> Result<(), Flaw> {
    if reference.trim().is_empty() {
        return Err(Flaw::Empty);
    }
    if reference.contains(['$', '{', '}', '<', '>', '%']) {
        return Err(Flaw::Placeholder);
    }
    if reference.contains("://") {
        return Err(Flaw::Scheme);
    }
    if reference.contains(char::is_whitespace) {
        return Err(Flaw::Whitespace);
    }
    Ok(())
}

/// The first part is a host where it has a dot, a colon or is `localhost`, as Docker decides it.
fn split_host(path: &str) -> (&str, &str) {
    match path.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => match host {
            "index.docker.io" | "registry-1.docker.io" => ("docker.io", rest),
            _ => (host, rest),
        },
        _ => ("docker.io", path),
    }
}

fn is_component(component: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    component.starts_with(alphanumeric)
        && component.ends_with(alphanumeric)
        && component.chars().all(|c| alphanumeric(c) || matches!(c, '.' | '_' | '-'))
}

fn is_tag(tag: &str) -> bool {
    tag.len() <= 128
        && tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && tag.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else { return false };
    !algorithm.is_empty() && hex.len() >= 32 && hex.chars().all(|c| c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::{Flaw, ImageRef};

    #[test]
    fn references_are_read_as_docker_reads_them() {
        for (reference, host, repository, tag) in [
            ("nginx", "docker.io", "library/nginx", None),
            ("nginx:1.27", "docker.io", "library/nginx", Some("1.27")),
            ("grafana/grafana:11.0.0", "docker.io", "grafana/grafana", Some("11.0.0")),
            ("docker.io/library/redis:7", "docker.io", "library/redis", Some("7")),
            ("10.0.0.10:5000/team/web:1.4.2", "10.0.0.10:5000", "team/web", Some("1.4.2")),
            ("localhost/web", "localhost", "web", None),
            ("ghcr.io/acme/shop/cart:v2", "ghcr.io", "acme/shop/cart", Some("v2")),
        ] {
            let image = ImageRef::parse(reference).unwrap_or_else(|flaw| panic!("{reference}: {flaw:?}"));
            assert_eq!((image.host.as_str(), image.repository.as_str()), (host, repository), "{reference}");
            assert_eq!(image.tag.as_deref(), tag, "{reference}");
        }
        let digest = format!("web@sha256:{}", "a".repeat(64));
        assert_eq!(ImageRef::parse(&digest).map(|image| image.written()), Ok(digest));
    }

    #[test]
    fn what_has_moved_is_known() {
        let moved = |image: &str| ImageRef::parse(image).ok().and_then(|image| image.moved()).map(|it| it.written());
        assert_eq!(moved("bitnami/redis:7.2.4").as_deref(), Some("bitnamilegacy/redis:7.2.4"));
        assert_eq!(moved("k8s.gcr.io/pause:3.1").as_deref(), Some("registry.k8s.io/pause:3.1"));
        assert_eq!(moved("redis:7"), None);
    }

    #[test]
    fn impossible_references_say_why() {
        for (reference, flaw) in [
            ("", Flaw::Empty),
            ("local/My_App:1", Flaw::UpperCase),
            ("Nginx", Flaw::UpperCase),
            ("local/My_App:${TAG}", Flaw::Placeholder),
            ("web:{{ .Values.tag }}", Flaw::Placeholder),
            ("https://ghcr.io/acme/web:1", Flaw::Scheme),
            ("nginx:1.27 ", Flaw::Whitespace),
            ("nginx:", Flaw::EmptyTag),
            ("nginx:1+2", Flaw::BadTag),
            ("nginx@sha256:abc", Flaw::BadDigest),
            ("nginx:1:2", Flaw::Other),
            ("acme//web", Flaw::Other),
        ] {
            assert_eq!(ImageRef::parse(reference), Err(flaw), "{reference}");
        }
    }
}
