//! The last words of the C library, of the C++ runtime, and of kernels that signal.

use super::rule::Rule;
use super::{Failure, Language};

pub(super) const RULES: &[Rule] = &[
    Rule::sure(
        "terminate called",
        concat!(
            "terminate called (?:after throwing an instance of '(?<class>[^']+)'|",
            "without an active exception|recursively)"
        ),
        |hit| {
            let below = hit.below.first().map_or("", |line| line.body().trim());
            let message = below.strip_prefix("what():").map(str::trim).unwrap_or_default();
            let class = hit.get("class").unwrap_or("terminate called");
            Some(Failure::Panic {
                what: if message.is_empty() { class.to_owned() } else { format!("{class}: {message}") },
            })
        },
    )
    .of(Language::Native),
    Rule::sure("libc++abi: terminating", r"libc\+\+abi: terminating.*", |hit| {
        Some(Failure::Panic { what: hit.whole() })
    })
    .of(Language::Native),
    Rule::sure("assertion", r"(?:[Aa]ssertion [`'‘](?<what>.+)['’] failed\.?|Assertion failed: .*)", |hit| {
        Some(Failure::Panic { what: hit.whole() })
    })
    .of(Language::Native),
    Rule::sure(
        "segmentation fault|sigsegv|bus error|illegal instruction|floating point exception|aborted (core|\
         sigabrt|sigill|sigbus|trace/breakpoint",
        concat!(
            r"(?:^|: |\] |\*\*\* )(?:(?:Segmentation fault|Bus error|",
            "Illegal instruction|Floating point exception|Aborted|",
            r"Trace/breakpoint trap)(?: +\(core dumped\).*|$)|SIG(?:SEGV|",
            r"ABRT|ILL|BUS|FPE)\b.*|#? ? SIGSEGV \(0xb\).*|Caught signal.*SIGSEGV.*)|",
            "A fatal error has been detected by the Java Runtime Environment"
        ),
        |hit| Some(Failure::Panic { what: hit.whole().trim_start_matches([':', ']', ' ', '*']).to_owned() }),
    )
    .of(Language::Native),
    Rule::sure(
        "free(): |malloc(): |corrupted size vs|double free or corruption|munmap_chunk|realloc(): |\
         corrupted double-linked|malloc_consolidate",
        concat!(
            r"(?:free\(\): .*|malloc\(\): .*|realloc\(\): .*|corrupted size vs.*|",
            r"double free or corruption.*|munmap_chunk\(\): .*|corrupted double-linked.*|",
            r"malloc_consolidate\(\): .*)"
        ),
        |hit| Some(Failure::Panic { what: hit.whole() }),
    )
    .of(Language::Native),
    Rule::sure(
        "stack smashing detected|buffer overflow detected",
        r"\*\*\* (?:stack smashing|buffer overflow) detected \*\*\*.*",
        |hit| Some(Failure::Panic { what: hit.whole() }),
    )
    .of(Language::Native),
    Rule::sure(
        "addresssanitizer|threadsanitizer|leaksanitizer",
        r"ERROR: (?:Address|Thread|Leak)Sanitizer: .*",
        |hit| Some(Failure::Panic { what: hit.whole() }),
    )
    .of(Language::Native),
    Rule::sure("mongod|invariant failure|fassert()", r"(?:Invariant failure.*|Fatal assertion.*)", |hit| {
        Some(Failure::Panic { what: hit.whole() })
    })
    .of(Language::Native),
    // Erlang and Elixir.
    Rule::sure(
        "** (|kernel pid terminated|runtime terminating during boot|crash dump is being written",
        concat!(
            r"(?:^\*\* \((?<class>[A-Za-z][\w.]*)\) (?<message>.*)|",
            r"Runtime terminating during boot \((?<boot>.*)|Kernel pid terminated \(\w+\) \((?<kernel>.*))"
        ),
        |hit| {
            let what = match (hit.get("class"), hit.get("message")) {
                (Some(class), message) => format!("{class}: {}", message.unwrap_or_default()),
                _ => hit.own("boot").or_else(|| hit.own("kernel"))?,
            };
            Some(Failure::Panic { what })
        },
    )
    .of(Language::Erlang),
    Rule::sure("qemu: uncaught target signal", r"qemu: uncaught target signal .*", |hit| {
        Some(Failure::Panic { what: hit.whole() })
    })
    .of(Language::Native),
    Rule::sure("the promise rejected with the reason", r#"rejected with the reason "(?<what>.*?)"\.\]"#, |hit| {
        Some(Failure::Panic { what: format!("UnhandledPromiseRejection: {}", hit.text_of("what")) })
    })
    .of(Language::Node),
    Rule::sure(
        "no chain/target/match by that name|can't initialize ip",
        concat!(
            r"ip6?tables[^:]*: (?:No chain/target/match by that name|",
            r"can't initialize ip6?tables table .*)\.?"
        ),
        |hit| Some(Failure::Fatal { what: hit.whole() }),
    ),
    Rule::likely("http: panic serving", r"http: panic serving \S+: (?<what>.*)", |hit| {
        Some(Failure::Panic { what: hit.text_of("what") })
    })
    .of(Language::Go),
];
