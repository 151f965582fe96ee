//! Label selectors as text (`a=b,c in (d,e),!f`) and as the object of a spec.

use std::iter::Peekable;
use std::str::Chars;

use serde_json::Value;

use crate::object::{elements, text};

/// Conditions on labels that must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Labels(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
    Above(i64),
    Below(i64),
}

impl Labels {
    /// Reads the text of a `labelSelector` parameter.
    ///
    /// # Errors
    /// What was found where something else was expected.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = Tokens::of(text);
        let mut requirements = Vec::new();
        if tokens.peek() == &Token::End {
            return Ok(Self::default());
        }
        loop {
            requirements.push(requirement(&mut tokens).map_err(|why| format!("unable to parse requirement: {why}"))?);
            match tokens.next() {
                Token::End => return Ok(Self(requirements)),
                Token::Comma if matches!(tokens.peek(), Token::Word(_) | Token::Not) => {}
                Token::Comma => {
                    return Err(format!("found '{}', expected: identifier after ','", tokens.next().shown()));
                }
                other => return Err(format!("found '{}', expected: ',' or 'end of string'", other.shown())),
            }
        }
    }

    /// Reads the selector of a spec (`matchLabels`, `matchExpressions`). One without conditions selects everything,
    /// an absent or broken one nothing.
    pub(crate) fn of_spec(selector: &Value) -> Option<Self> {
        let selector = selector.as_object().map(|_| selector)?;
        let mut requirements = Vec::new();
        for (key, value) in selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten() {
            let test = Test::In(vec![value.as_str()?.to_owned()]);
            requirements.push(Requirement { key: key.clone(), test });
        }
        for expression in elements(selector, "/matchExpressions") {
            let values = || elements(expression, "/values").iter().filter_map(Value::as_str).map(ToOwned::to_owned);
            let test = match text(expression, "/operator") {
                "In" => Test::In(values().collect()),
                "NotIn" => Test::NotIn(values().collect()),
                "Exists" => Test::Exists,
                "DoesNotExist" => Test::Absent,
                _ => return None,
            };
            requirements.push(Requirement { key: text(expression, "/key").to_owned(), test });
        }
        Some(Self(requirements))
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the conditions hold for these labels.
    pub(crate) fn matches(&self, labels: Option<&Value>) -> bool {
        self.0.iter().all(|requirement| {
            let value = labels.and_then(|labels| labels.get(&requirement.key)).and_then(Value::as_str);
            requirement.test.holds(value)
        })
    }
}

impl Test {
    fn holds(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match self {
            Self::In(values) => value.is_some_and(|value| values.iter().any(|one| one == value)),
            Self::NotIn(values) => value.is_none_or(|value| values.iter().all(|one| one != value)),
            Self::Exists => value.is_some(),
            Self::Absent => value.is_none(),
            Self::Above(bound) => number().is_some_and(|number| number > *bound),
            Self::Below(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

fn requirement(tokens: &mut Tokens<'_>) -> Result<Requirement, String> {
    if tokens.peek() == &Token::Not {
        tokens.next();
        let key = key(tokens)?;
        return Ok(Requirement { key, test: Test::Absent });
    }
    let key = key(tokens)?;
    if matches!(tokens.peek(), Token::Comma | Token::End) {
        return Ok(Requirement { key, test: Test::Exists });
    }
    let test = match tokens.next() {
        Token::Equal | Token::DoubleEqual => Test::In(vec![value(&key, tokens)?]),
        Token::Differs => Test::NotIn(vec![value(&key, tokens)?]),
        Token::Above => Test::Above(bound(&key, tokens)?),
        Token::Below => Test::Below(bound(&key, tokens)?),
        Token::Word(word) if word == "in" => Test::In(values(&key, tokens)?),
        Token::Word(word) if word == "notin" => Test::NotIn(values(&key, tokens)?),
        other => return Err(format!("found '{}', expected: in, notin, =, ==, !=, gt, lt", other.shown())),
    };
    Ok(Requirement { key, test })
}

fn key(tokens: &mut Tokens<'_>) -> Result<String, String> {
    let word = match tokens.next() {
        Token::Word(word) => word,
        other => return Err(format!("found '{}', expected: identifier", other.shown())),
    };
    let name = word.rsplit('/').next().unwrap_or_default();
    if is_name(name) && word.matches('/').count() < 2 {
        return Ok(word);
    }
    Err(format!(
        "<nil>: Invalid value: \"{word}\": name part must consist of alphanumeric characters, '-', '_' or '.', \
         and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', \
         regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
    ))
}

fn value(key: &str, tokens: &mut Tokens<'_>) -> Result<String, String> {
    match tokens.peek() {
        Token::Comma | Token::End => return Ok(String::new()),
        Token::Word(_) => {}
        other => return Err(format!("found '{}', expected: identifier", other.shown())),
    }
    match tokens.next() {
        Token::Word(word) => valid(key, 0, word),
        _ => Ok(String::new()),
    }
}

fn bound(key: &str, tokens: &mut Tokens<'_>) -> Result<i64, String> {
    let word = value(key, tokens)?;
    word.parse().map_err(|_| {
        format!("values[0]: Invalid value: \"{word}\": for 'Gt', 'Lt' operators, the value must be an integer")
    })
}

fn values(key: &str, tokens: &mut Tokens<'_>) -> Result<Vec<String>, String> {
    let open = tokens.next();
    if open != Token::Open {
        return Err(format!("found '{}' expected: '('", open.shown()));
    }
    let mut values = Vec::new();
    loop {
        match tokens.next() {
            Token::Word(word) => {
                values.push(valid(key, values.len(), word)?);
                match tokens.next() {
                    Token::Comma => {}
                    Token::Close => return Ok(values),
                    other => return Err(format!("found '{}', expected: ',' or ')'", other.shown())),
                }
            }
            Token::Comma => values.push(String::new()),
            Token::Close => {
                values.push(String::new());
                return Ok(values);
            }
            other => return Err(format!("found '{}', expected: ',', ')' or identifier", other.shown())),
        }
    }
}

fn valid(key: &str, place: usize, word: String) -> Result<String, String> {
    if is_name(&word) {
        return Ok(word);
    }
    Err(format!(
        "values[{place}][{key}]: Invalid value: \"{word}\": a valid label must be an empty string or consist of alphanumeric \
         characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or \
         'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
    ))
}

fn is_name(text: &str) -> bool {
    let ends =
        text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.ends_with(|c: char| c.is_ascii_alphanumeric());
    let inside = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    ends && inside && text.len() <= 63
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Equal,
    DoubleEqual,
    Differs,
    Above,
    Below,
    Not,
    Open,
    Close,
    Comma,
    End,
}

impl Token {
    fn shown(&self) -> &str {
        match self {
            Self::Word(word) => word,
            Self::Equal => "=",
            Self::DoubleEqual => "==",
            Self::Differs => "!=",
            Self::Above => ">",
            Self::Below => "<",
            Self::Not => "!",
            Self::Open => "(",
            Self::Close => ")",
            Self::Comma => ",",
            Self::End => "",
        }
    }
}

struct Tokens<'a> {
    rest: Peekable<Chars<'a>>,
    ahead: Token,
}

impl<'a> Tokens<'a> {
    fn of(text: &'a str) -> Self {
        let mut tokens = Self { rest: text.chars().peekable(), ahead: Token::End };
        tokens.ahead = tokens.read();
        tokens
    }

    fn peek(&self) -> &Token {
        &self.ahead
    }

    fn next(&mut self) -> Token {
        let next = self.read();
        std::mem::replace(&mut self.ahead, next)
    }

    fn read(&mut self) -> Token {
        while self.rest.next_if(char::is_ascii_whitespace).is_some() {}
        let Some(first) = self.rest.next() else { return Token::End };
        match first {
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '>' => Token::Above,
            '<' => Token::Below,
            '=' if self.rest.next_if_eq(&'=').is_some() => Token::DoubleEqual,
            '=' => Token::Equal,
            '!' if self.rest.next_if_eq(&'=').is_some() => Token::Differs,
            '!' => Token::Not,
            other => {
                let mut word = String::from(other);
                let inside = |c: &char| !c.is_ascii_whitespace() && !"()<>=!,".contains(*c);
                while let Some(letter) = self.rest.next_if(inside) {
                    word.push(letter);
                }
                Token::Word(word)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selects(selector: &str, labels: &Value) -> bool {
        Labels::parse(selector).expect("a selector").matches(Some(labels))
    }

    #[test]
    fn every_operator_selects_as_documented() {
        let labels = json!({"app": "web", "tier": "front", "n": "7", "empty": ""});
        for yes in [
            "",
            "app=web",
            "app==web",
            "app",
            "!absent",
            "app!=db",
            "absent!=db",
            "app in (web,db)",
            "app notin (db)",
            "absent notin (db)",
            "n>6",
            "n<8",
            "app=web,tier=front",
            " app in ( web , db ) , tier ",
            "empty=",
        ] {
            assert!(selects(yes, &labels), "{yes}");
        }
        for no in ["app=db", "!app", "absent", "app notin (web)", "app in (db)", "n>7", "app>1", "app=web,tier=back"] {
            assert!(!selects(no, &labels), "{no}");
        }
    }

    #[test]
    fn broken_selectors_say_what_was_found() {
        let wrong = |text: &str| Labels::parse(text).expect_err(text);
        assert_eq!(wrong("a in b"), "unable to parse requirement: found 'b' expected: '('");
        assert_eq!(wrong("=b"), "unable to parse requirement: found '=', expected: identifier");
        assert_eq!(wrong("a=b,"), "found '', expected: identifier after ','");
        for text in ["a in (b", "a=b c", "a b", "a,,b", "((((", "a=b=c", "\u{0}", "a=\u{1F600}", "!", "a/b/c=d", "-=x"]
        {
            wrong(text);
        }
    }

    #[test]
    fn a_selector_of_a_spec_knows_expressions() {
        let selector = json!({"matchLabels": {"app": "web"},
            "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["back"]}]});
        let labels = Labels::of_spec(&selector).expect("a selector");
        assert!(labels.matches(Some(&json!({"app": "web"}))));
        assert!(!labels.matches(Some(&json!({"app": "web", "tier": "back"}))));
        assert!(Labels::of_spec(&json!({})).expect("all").is_everything());
        assert!(Labels::of_spec(&Value::Null).is_none());
        assert!(Labels::of_spec(&json!({"matchExpressions": [{"key": "a", "operator": "Like"}]})).is_none());
    }
}
