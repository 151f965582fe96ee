//! The words of somebody's message: its text, and what its blocks and attachments say.

use serde_json::Value;

use super::markup;

/// How many bytes of a message are read: an alert names its object early.
const MOST: usize = 16_000;
/// How deep blocks are looked into.
const DEEPEST: usize = 12;
/// How many parts are read: each is looked for among those before it.
const MOST_PARTS: usize = 500;

/// The words of a message, a line for each part. What a part repeats stands there once.
pub(crate) fn words(message: &Value) -> String {
    let mut words = Words::default();
    if let Some(text) = message.get("text").and_then(Value::as_str) {
        words.add(text);
    }
    for part in ["attachments", "blocks"] {
        words.collect(message.get(part).unwrap_or(&Value::Null), DEEPEST);
    }
    words.lines
}

#[derive(Default)]
struct Words {
    lines: String,
    parts: usize,
}

impl Words {
    fn is_full(&self) -> bool {
        self.lines.len() >= MOST || self.parts >= MOST_PARTS
    }

    fn collect(&mut self, value: &Value, depth: usize) {
        if depth == 0 || self.is_full() {
            return;
        }
        match value {
            Value::Array(parts) => parts.iter().for_each(|part| self.collect(part, depth - 1)),
            Value::Object(fields) => {
                // Where text and other fields stand beside each other, the order is the one in which Slack shows them.
                let texts =
                    ["pretext", "author_name", "title", "title_link", "text", "fallback", "alt_text", "url", "value"];
                for text in texts.iter().filter_map(|key| fields.get(*key)?.as_str()) {
                    self.add(text);
                }
                let nested =
                    ["text", "title", "fields", "elements", "blocks", "rows", "accessory", "message_blocks", "message"];
                for inner in nested.iter().filter_map(|key| fields.get(*key)) {
                    self.collect(inner, depth - 1);
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, text: &str) {
        if self.is_full() {
            return;
        }
        self.parts += 1;
        let room = MOST.saturating_sub(self.lines.len());
        let text: String = markup::plain(text).chars().take(room).collect();
        let text = text.trim();
        if text.is_empty() || self.lines.contains(text) {
            return;
        }
        if !self.lines.is_empty() {
            self.lines.push('\n');
        }
        self.lines.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{MOST, words};

    #[test]
    fn an_alert_is_read_whole() {
        let alert = json!({
            "text": "[FIRING:1] KubePodCrashLooping",
            "attachments": [{
                "fallback": "[FIRING:1] KubePodCrashLooping", "title": "KubePodCrashLooping", "text": "Pod shop/cart-7c9 &lt;app&gt;",
                "fields": [{"title": "namespace", "value": "shop"}],
                "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "pod <http://x.y|cart-7c9>"}}],
            }],
            "metadata": {"event_type": "alert", "event_payload": {"severity": 3}},
        });
        assert_eq!(words(&alert), "[FIRING:1] KubePodCrashLooping\nPod shop/cart-7c9 <app>\nnamespace\npod cart-7c9");
    }

    #[test]
    fn what_blocks_repeat_of_the_text_stands_once() {
        let message = json!({
            "text": "pod cart fails",
            "blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
                {"type": "text", "text": "pod cart "}, {"type": "text", "text": "fails", "style": {"bold": true}},
            ]}]}],
        });
        assert_eq!(words(&message), "pod cart fails");
    }

    #[test]
    fn a_huge_and_deep_message_is_cut() {
        let mut deep = json!({"text": "bottom"});
        for _ in 0..200 {
            deep = json!({"elements": [deep]});
        }
        let huge = json!({"text": "ä".repeat(100_000), "blocks": [deep]});
        assert!(words(&huge).len() <= 2 * MOST);
        assert!(!words(&json!({"blocks": [huge["blocks"][0]]})).contains("bottom"));
    }
}
