//! Heaps that are full, and memory or threads that the system refused.

use super::rule::{Hit, Rule};
use super::{Failure, Language};

pub(super) const RULES: &[Rule] = &[
    Rule::sure(
        "unable to create native thread|unable to create new native thread|pthread_create failed|\
         failed to create new os thread|can't start new thread|fork: retry|cannot fork|can't fork|\
         fork: resource temporarily|newosproc|failed to spawn thread|\
         resource temporarily unavailable (os error 11)|uv_thread_create",
        concat!(
            "(?i-u:unable to create (?:new )?native thread|pthread_create failed|",
            "failed to create new os thread|can't start new thread|",
            "fork: (?:retry: )?resource temporarily unavailable|cannot fork|",
            "can't fork|newosproc|failed to spawn thread|uv_thread_create)"
        ),
        |hit| Some(Failure::NoThreads { what: hit.whole() }),
    ),
    Rule::sure(
        "java.lang.outofmemoryerror|outofmemoryerror:",
        concat!(
            r"(?:java\.lang\.)?OutOfMemoryError: (?<what>Java heap space|",
            "GC overhead limit exceeded|Metaspace|Compressed class space|",
            "Direct buffer memory|Requested array size exceeds VM limit|",
            "Cannot reserve .* direct buffer memory.*)"
        ),
        heap,
    )
    .of(Language::Java),
    Rule::sure("java.lang.outofmemoryerror", r"java\.lang\.OutOfMemoryError", |_| {
        Some(Failure::HeapExhausted { what: "OutOfMemoryError".to_owned() })
    })
    .of(Language::Java),
    Rule::sure(
        "javascript heap out of memory|reached heap limit|invalid array buffer length|\
         err_worker_out_of_memory",
        concat!(
            "(?<what>(?:Reached heap limit )?(?:Allocation failed|",
            "Array buffer allocation failed|.*allocation failure.*) ?-? ?JavaScript heap out of memory|",
            "JavaScript heap out of memory|Reached heap limit.*|ERR_WORKER_OUT_OF_MEMORY)"
        ),
        heap,
    )
    .of(Language::Node),
    Rule::sure(
        "allowed memory size of",
        r"(?<what>Allowed memory size of [0-9]+ bytes exhausted(?: \(tried to allocate [0-9]+ bytes\))?)",
        heap,
    )
    .of(Language::Php),
    Rule::sure("system.outofmemoryexception|outofmemoryexception", r"(?<what>System\.OutOfMemoryException)", heap)
        .of(Language::DotNet),
    Rule::sure(
        "nomemoryerror|failed to allocate memory (",
        r"(?<what>failed to allocate memory \(NoMemoryError\)|NoMemoryError.*)",
        heap,
    )
    .of(Language::Ruby),
    Rule::sure("eheap_alloc|binary_alloc", r"(?<what>(?:eheap_alloc|binary_alloc): Cannot allocate .*)", heap)
        .of(Language::Erlang),
    Rule::sure(
        "cannot allocate memory|runtime: out of memory|insufficient memory for the java runtime|\
         os::commit_memory|enomem|std::bad_alloc|could not map anonymous shared memory|\
         memory allocation of|out of memory: |memoryerror|errno 12|native memory allocation (mmap)|\
         out of memory",
        concat!(
            "(?i-u:cannot allocate memory|runtime: out of memory(?u-i:.)*|",
            "insufficient memory for the java runtime environment to continue|",
            r"os::commit_memory\((?u-i:.)*|\bENOMEM\b(?u-i:.)*|std::bad_alloc|",
            "could not map anonymous shared memory(?u-i:.)*|memory allocation of [0-9]+ bytes failed|",
            r"\bMemoryError\b(?u-i:.)*|Native memory allocation \(mmap\) failed(?u-i:.)*|",
            r"^out of memory\b(?u-i:.)*|\bfatal\b(?u-i:.)*\bout of memory\b)"
        ),
        |hit| Some(Failure::NoMemory { what: hit.whole() }),
    ),
];

#[expect(clippy::unnecessary_wraps, reason = "a rule may find that its match means nothing")]
fn heap(hit: &Hit<'_>) -> Option<Failure> {
    Some(Failure::HeapExhausted { what: hit.text_of("what") })
}
